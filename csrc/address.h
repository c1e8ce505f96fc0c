/*
 * address.h - base URLs: what may be one, and which stay on this machine. Sees libc.
 */
#ifndef MEDIASTOP_ADDRESS_H
#define MEDIASTOP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* NULL if `url` may be a base URL, else what is wrong with it: https, or http to a loopback address; a host, an
 * optional port, an optional path; no user, query or fragment. The form is narrower than RFC 3986 so that no
 * other reader of URLs can see another host in it. */
const char *address_problem(const char *url, size_t length);

/* Whether both are the same address, slashes at the end apart. */
bool address_is_same(const char *a, const char *b);

/* Whether the URL, which has no problem, names a loopback address: 127.0.0.0/8, [::1] or localhost. */
bool address_is_loopback(const char *url);

/* How much of the URL, which has no problem, is its scheme, host and port. */
size_t address_origin_length(const char *url);

#endif
