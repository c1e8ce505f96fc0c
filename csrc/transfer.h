/*
 * transfer.h - one HTTP exchange on one libcurl easy handle. Sees curl.h in its .c only.
 */
#ifndef MEDIASTOP_TRANSFER_H
#define MEDIASTOP_TRANSFER_H

#include "queue.h"
#include "reply.h"
#include "request.h"
#include "trust.h"

struct sockets;

/* What all transfers of a pool have in common; strings are borrowed and live as long as the pool. */
struct transfer_settings {
    const char *ca_file;            /* NULL: the system's */
    const char *proxy;              /* NULL: the environment's; "": none */
    const char *user_agent;         /* a client's: what is put in front of our name, or NULL; a pool's: the header line */
    int max_connections;            /* to each host */
    enum trust trust;               /* where there is no ca_file */
    bool keeps_bodies;              /* as transfer_keeps_bodies says */
};

/* Limits of one exchange. */
struct transfer_limits {
    double timeout;                 /* seconds, connecting included */
    double connect_timeout;         /* seconds for name look-up, TCP and TLS */
    int requests;                   /* at most so many, those that libcurl repeats by itself included */
};

struct transfer {
    void *easy;                     /* the CURL handle; kept for the next exchange */
    void *owner;                    /* who is told */
    struct link link;               /* in one of the pool's queues */
    struct reply *reply;
    int requests_left;
    int code;                       /* libcurl's, once the exchange is over */
    int fd;                         /* the connection, as far as it is known; -1: none */
    double sent_at;                 /* of clock_now; when its last request began */
    bool cleartext;                 /* without TLS */
    bool is_kept;                   /* the request stays in a buffer of the handle's */
    bool told;                      /* libcurl tells of each request before it is sent */
    void *address;                  /* the CURLU of its URL */
    struct text origin;             /* scheme, host and port in it; the next request's are the same, as a rule */
    struct {                        /* what the handle is set to; 0: not yet */
        const char *method;
        bool posts;                 /* a body */
        int timeout, connect_timeout;
        enum security { SET_CLEARTEXT = 1, SET_SECURE } security;
        enum whereabouts { SET_LOOPBACK = 1, SET_OUTSIDE } place;
    } set;
    struct transfer_headers *headers;
    char *words;                    /* libcurl's buffer for its words on a failure */
};

/* Whether libcurl, from 8.7 on, keeps a request that has a body, credential and all, until its handle sends another. */
bool transfer_keeps_bodies(void);

/* `sockets`: whose connections it uses. NULL if memory is short. */
struct transfer *transfer_new(const struct transfer_settings *settings, struct sockets *sockets);

/* Prepares the exchange. Request and reply are borrowed until transfer_end. False if memory is short. */
bool transfer_begin(struct transfer *transfer, const struct transfer_settings *settings, const struct request *request,
                    struct reply *reply, const struct transfer_limits *limits);

/* Sees to it that the reply says whether a request was sent. */
void transfer_look(struct transfer *transfer);

/* The exchange is over, as its code says: fills in what the reply still lacks. */
void transfer_finish(struct transfer *transfer);

/* Lets go of request and reply. False if libcurl still has the credential in a buffer of the handle's, which is to be freed. */
bool transfer_end(struct transfer *transfer);

void transfer_free(struct transfer *transfer);

#endif
