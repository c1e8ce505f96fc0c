/*
 * transfer.c - one HTTP exchange on one libcurl easy handle.
 *
 * The callbacks only append bytes and set flags; nothing of Lua is within their reach.
 */
#include "transfer.h"

#define CURL_DISABLE_DEPRECATION    /* what an older libcurl has in place of something new */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fault.h"
#include "memory.h"
#include "sockets.h"

/* An answer is a few hundred bytes. libcurl takes no less, and with more it asks the C library, for every request, for a block
 * that is too large for the small ones that this keeps at hand. */
#define RECEIVE_BUFFER_BYTES 1024L
#define SEND_BUFFER_BYTES 16384L    /* the least that it takes */

/* Nodes of our own in place of curl_slist_append, which copies the credential and does not wipe the copy. */
struct transfer_headers {
    struct curl_slist node[3];
    struct curl_slist of_proxy;
};

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct transfer *transfer = data;
    size_t length = size * count;
    if (!text_add(&transfer->reply->body, bytes, length, BODY_MAX_BYTES)) {
        transfer->reply->no_memory = transfer->reply->body.no_memory;
        return 0;
    }
    return length;
}

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
    struct transfer *transfer = data;
    size_t length = size * count;
    return reply_add_header(transfer->reply, line, length) ? length : 0;
}

#if LIBCURL_VERSION_NUM >= 0x075000
/* Called once for each request, before its first byte: also for those that libcurl repeats by itself because a kept
 * connection turned out to be dead. */
static int on_request(void *data, char *remote, char *local, int remote_port, int local_port)
{
    struct transfer *transfer = data;
    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    if (transfer->requests_left == 0)
        return CURL_PREREQFUNC_ABORT;
    transfer->requests_left--;
    transfer->reply->sent++;
    transfer->sent_at = clock_now();
    return CURL_PREREQFUNC_OK;
}
#endif

/* libcurl tells of requests from 7.80 on. An older one may send a request again, and say nothing of it, where a kept
 * connection turns out to be dead or HTTP/2 refuses: it gets a connection of HTTP/1.1 for each. */
static void set_telling(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
#if LIBCURL_VERSION_NUM >= 0x075000
    transfer->told = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request) == CURLE_OK &&
                     curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer) == CURLE_OK;
#endif
    if (!transfer->told) {
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    }
}

void transfer_look(struct transfer *transfer)
{
    long bytes = 0;
    if (transfer->told || transfer->reply->sent > 0)
        return;
    double begun = 0;               /* a proxy's CONNECT counts among the bytes, and comes before */
    curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &bytes);
    curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME, &begun);
    transfer->reply->sent = bytes > 0 && begun > 0;
}

static curl_socket_t on_open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    return sockets_open(data, address->family, address->socktype, address->protocol);
}

static int on_close_socket(void *data, curl_socket_t fd)
{
    sockets_close(data, fd);
    return 0;
}

static bool set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    if (curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK)
        return true;
#endif
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)) == CURLE_OK;
}

static bool set_trust(CURL *easy, const struct transfer_settings *settings)
{
    /* A file of the caller's is to be all that is trusted, so without the folder. */
    if (settings->ca_file)
        return curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_file) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
    if (settings->trust == TRUST_DEFAULT)
        return true;
    return curl_easy_setopt(easy, settings->trust == TRUST_FOLDER ? CURLOPT_CAINFO : CURLOPT_CAPATH, NULL) == CURLE_OK;
}

/* What never changes from one exchange to the next. Redirects, cookies and .netrc are off by libcurl's default. */
static bool set_constants(struct transfer *transfer, const struct transfer_settings *settings,
                          struct sockets *sockets)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->words);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER_BYTES);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets);
    set_telling(transfer);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Without it the end of a transfer waits for a name server that does not answer. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    /* A header line that libcurl makes by CURLOPT_USERAGENT is put together twice for every request. */
    transfer->headers->of_proxy.data = (char *)settings->user_agent;
    curl_easy_setopt(easy, CURLOPT_PROXYHEADER, &transfer->headers->of_proxy);
    curl_easy_setopt(easy, CURLOPT_CURLU, transfer->address);
    return set_protocols(easy) && set_trust(easy, settings) &&
           (!settings->proxy || (curl_easy_setopt(easy, CURLOPT_PROXY, settings->proxy) == CURLE_OK &&
                                 curl_easy_setopt(easy, CURLOPT_NOPROXY, "") == CURLE_OK));
}

bool transfer_keeps_bodies(void)
{
    return curl_version_info(CURLVERSION_NOW)->version_num >= 0x080700;
}

struct transfer *transfer_new(const struct transfer_settings *settings, struct sockets *sockets)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer)
        return NULL;
    transfer->headers = calloc(1, sizeof *transfer->headers);
    transfer->fd = -1;
    transfer->words = calloc(1, CURL_ERROR_SIZE);
    transfer->easy = curl_easy_init();
    transfer->address = curl_url();
    if (!transfer->headers || !transfer->words || !transfer->easy || !transfer->address ||
        !set_constants(transfer, settings, sockets)) {
        transfer_free(transfer);
        return NULL;
    }
    return transfer;
}

/* Given a string libcurl would parse all of it, write all of it anew and copy the parts of that, for every request. */
static bool set_address(struct transfer *transfer, const struct request *request)
{
    CURLU *address = transfer->address;
    struct text *origin = &transfer->origin;
    const char *path = request->url.data + request->origin_length;
    bool is_same = origin->length == request->origin_length &&
                   memcmp(origin->data, request->url.data, origin->length) == 0;
    /* As a part, an escape would be put into lower case. */
    if (is_same && !strchr(path, '%'))
        return curl_url_set(address, CURLUPART_PATH, path, 0) == CURLUE_OK;
    text_clear(origin);
    return curl_url_set(address, CURLUPART_URL, request->url.data, CURLU_PATH_AS_IS) == CURLUE_OK &&
           text_add(origin, request->url.data, request->origin_length, BODY_MAX_BYTES);
}

static bool set_method(struct transfer *transfer, const struct request *request)
{
    CURL *easy = transfer->easy;
    bool posts = request->has_body;
    if (posts) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->body.length);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.data);
    }
    if (transfer->set.method && strcmp(transfer->set.method, request->method) == 0 && transfer->set.posts == posts)
        return true;
    transfer->set.method = NULL;
    transfer->set.posts = posts;
    if (curl_easy_setopt(easy, posts ? CURLOPT_POST : CURLOPT_HTTPGET, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) != CURLE_OK)
        return false;
    transfer->set.method = request->method;
    return true;
}

/* Whether the method is one with a body, be it of length 0. */
static bool carries_body(const char *method)
{
    return method[0] == 'P';
}

/* libcurl adds "Expect:" to bodies over 1 KiB at the least; ours have half of that at most. For an empty one it would do all that
 * it does for an upload, and take a buffer for it. */
static void set_headers(struct transfer *transfer, const struct transfer_settings *settings,
                        const struct request *request)
{
    struct curl_slist *node = transfer->headers->node;
    static char json[] = "Content-Type: application/json", empty[] = "Content-Length: 0";
    node[0].data = request->authorization.data;
    node[1].data = (char *)settings->user_agent;
    node[2].data = request->has_body ? json : empty;
    node[0].next = &node[1];
    node[1].next = carries_body(request->method) ? &node[2] : NULL;
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, node);
}

static void set_limit(CURL *easy, CURLoption option, double seconds, int *set)
{
    int milliseconds = clock_milliseconds(seconds);
    milliseconds = milliseconds > 0 ? milliseconds : 1;
    if (milliseconds != *set)
        curl_easy_setopt(easy, option, (long)milliseconds);
    *set = milliseconds;
}

static void set_security(struct transfer *transfer, bool cleartext)
{
    bool is_old = cleartext || !transfer->told;
    enum security security = cleartext ? SET_CLEARTEXT : SET_SECURE;
    if (transfer->set.security == security)
        return;
    transfer->set.security = security;
    /* Where HTTP/2 is possible a request waits for a connection that is being made to tell; without TLS it would wait for
     * the answer to another. */
    curl_easy_setopt(transfer->easy, CURLOPT_HTTP_VERSION,
                     (long)(is_old ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
    curl_easy_setopt(transfer->easy, CURLOPT_PIPEWAIT, is_old ? 0L : 1L);
}

/* The environment's proxy is for the world outside. */
static bool set_place(struct transfer *transfer, bool loopback)
{
    enum whereabouts place = loopback ? SET_LOOPBACK : SET_OUTSIDE;
    if (transfer->set.place == place)
        return true;
    if (curl_easy_setopt(transfer->easy, CURLOPT_NOPROXY, loopback ? "*" : NULL) != CURLE_OK)
        return false;
    transfer->set.place = place;
    return true;
}

bool transfer_begin(struct transfer *transfer, const struct transfer_settings *settings, const struct request *request,
                    struct reply *reply, const struct transfer_limits *limits)
{
    CURL *easy = transfer->easy;
    reply_clear(reply);
    transfer->reply = reply;
    transfer->requests_left = limits->requests;
    transfer->words[0] = '\0';
    transfer->cleartext = request->cleartext;
    transfer->is_kept = settings->keeps_bodies && request->has_body;
    set_limit(easy, CURLOPT_TIMEOUT_MS, limits->timeout, &transfer->set.timeout);
    set_limit(easy, CURLOPT_CONNECTTIMEOUT_MS, limits->connect_timeout, &transfer->set.connect_timeout);
    set_security(transfer, request->cleartext);
    set_headers(transfer, settings, request);
    return set_method(transfer, request) && set_address(transfer, request) &&
           (settings->proxy || set_place(transfer, request->loopback));
}

void transfer_finish(struct transfer *transfer)
{
    struct reply *reply = transfer->reply;
    int code = transfer->code;
    long version = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
    reply->multiplexed = version >= CURL_HTTP_VERSION_2_0;
    transfer_look(transfer);
    reply->fault = fault_kind(code);
    if (reply->fault == KIND_PROTOCOL && reply->sent > 0)
        reply->answered = true;             /* what cannot be read has come */
    if (code == CURLE_OUT_OF_MEMORY) {
        /* What libcurl also says of a header line that is longer than it takes. */
        reply->no_memory = reply->no_memory || memory_ran_short() || reply->header_bytes == 0;
        reply->fault = reply->no_memory ? KIND_NETWORK : KIND_PROTOCOL;
    }
    if (reply->fault == KIND_NETWORK && reply->sent == 0)
        reply->fault = KIND_CONNECT;        /* lost before the request, by a proxy perhaps */
    else if (reply->sent > 0 && (reply->fault == KIND_DNS || reply->fault == KIND_CONNECT || reply->fault == KIND_TLS))
        reply->fault = KIND_NETWORK;        /* one was lost, and libcurl got no connection to repeat it on */
    if (reply->fault == KIND_NONE && (!reply->headers_whole || reply->status < 200)) {
        reply->fault = KIND_NETWORK;        /* libcurl takes headers that end in the middle for all of them */
        text_add_string(&reply->problem, "the answer was cut short in its headers");
    } else if (reply->fault != KIND_NONE) {
        const char *words = fault_words(code, reply->fault, transfer->words);
        text_add_line(&reply->problem, words, strlen(words), DETAIL_MAX_BYTES);
    }
    if (reply->status < 200)
        reply->status = 0;                  /* an interim answer is none */
}

bool transfer_end(struct transfer *transfer)
{
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, NULL);
    if (transfer->set.posts)
        curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, NULL);
    memset(transfer->headers->node, 0, sizeof transfer->headers->node);
    transfer->reply = NULL;
    transfer->owner = NULL;
    return !transfer->is_kept;
}

void transfer_free(struct transfer *transfer)
{
    if (transfer) {
        curl_easy_cleanup(transfer->easy);
        curl_url_cleanup(transfer->address);
        text_free(&transfer->origin);
        free(transfer->words);
        free(transfer->headers);
        free(transfer);
    }
}
