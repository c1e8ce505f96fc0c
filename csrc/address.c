/*
 * address.c - base URLs: what may be one, and which stay on this machine.
 */
#define _POSIX_C_SOURCE 200809L
#include "address.h"

#include <arpa/inet.h>
#include <string.h>

#include "text.h"

#define URL_MAX_BYTES 2000
#define DIGITS "0123456789"
#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS ".-_"

static size_t scheme_length(const char *url, size_t length)
{
    if (length >= 8 && text_same_nocase(url, "https://", 8))
        return 8;
    if (length >= 7 && text_same_nocase(url, "http://", 7))
        return 7;
    return 0;
}

static bool is_ipv6(const char *bytes, size_t length)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    if (length >= sizeof address)
        return false;
    memcpy(address, bytes, length);
    address[length] = '\0';
    return inet_pton(AF_INET6, address, &parsed) == 1;
}

static size_t host_length(const char *host)
{
    if (*host != '[')
        return strspn(host, NAME_BYTES);
    size_t inside = strspn(host + 1, DIGITS "abcdefABCDEF:.");
    return host[1 + inside] == ']' && is_ipv6(host + 1, inside) ? inside + 2 : 0;
}

/* Four whole decimal numbers, the first 127: other spellings of IPv4 addresses are read differently here and there. */
static bool is_127(const char *host, size_t length)
{
    int parts = 0;
    const char *at = host, *end = host + length;
    while (at < end && parts < 4) {
        size_t digits = strspn(at, DIGITS);
        int value = 0;
        if (digits == 0 || digits > 3 || (digits > 1 && *at == '0'))
            return false;
        for (size_t i = 0; i < digits; i++)
            value = value * 10 + (at[i] - '0');
        if (value > 255 || (parts == 0 && value != 127))
            return false;
        at += digits;
        parts++;
        if (at < end && *at++ != '.')
            return false;
    }
    return parts == 4 && at == end && end[-1] != '.';
}

bool address_is_loopback(const char *url)
{
    const char *host = url + scheme_length(url, strlen(url));
    if (!strchr("1[lL", *host))
        return false;               /* as most are */
    size_t length = host_length(host);
    return is_127(host, length) || (length == 5 && memcmp(host, "[::1]", 5) == 0) ||
           (length == 9 && text_same_nocase(host, "localhost", 9));
}

size_t address_origin_length(const char *url)
{
    size_t scheme = scheme_length(url, strlen(url));
    return scheme + strcspn(url + scheme, "/");
}

static size_t length_without_slashes(const char *url)
{
    size_t length = strlen(url);
    while (length > 0 && url[length - 1] == '/')
        length--;
    return length;
}

bool address_is_same(const char *a, const char *b)
{
    size_t length = length_without_slashes(a);
    return length == length_without_slashes(b) && memcmp(a, b, length) == 0;
}

static const char *port_problem(const char **at)
{
    size_t digits = strspn(*at, DIGITS);
    long port = 0;
    for (size_t i = 0; i < digits && i < 6; i++)
        port = port * 10 + ((*at)[i] - '0');
    *at += digits;
    return digits == 0 || digits > 5 || port < 1 || port > 65535 ? "has no valid port" : NULL;
}

const char *address_problem(const char *url, size_t length)
{
    size_t scheme = scheme_length(url, length);
    if (length > URL_MAX_BYTES)
        return "is longer than 2000 bytes";
    if (scheme == 0)
        return "must begin with https://";
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)url[i];
        if (byte <= 0x20 || byte >= 0x7F)
            return "holds a byte that cannot stand in a URL";
    }
    if (strpbrk(url, "@?#\\"))
        return "may hold no user, query or fragment";
    const char *at = url + scheme;
    size_t host = host_length(at);
    if (host == 0)
        return "has no valid host";
    at += host;
    if (*at == ':') {
        at++;
        const char *problem = port_problem(&at);
        if (problem)
            return problem;
    }
    if (*at != '\0' && *at != '/')
        return "has no valid host";
    if (scheme == 7 && !address_is_loopback(url))
        return "must begin with https:// (http is for a loopback address only)";
    return NULL;
}
