/*
 * fault.c - what libcurl's codes mean.
 */
#include "fault.h"

#include <curl/curl.h>
#include <string.h>
#include <unistd.h>

#include "descriptor.h"
#include "memory.h"

#define TOO_LARGE 100               /* CURLE_TOO_LARGE, from 8.6 on; the headers may be older than the library */

/* Whether the file of certificates could not be opened for want of a descriptor, or memory. Two descriptors are asked for, since
 * the connection has given its own back by now. */
static bool ran_short(void)
{
    int ends[2];
    if (memory_ran_short() || !descriptor_pipe(ends))
        return true;
    close(ends[0]);
    close(ends[1]);
    return false;
}

enum kind fault_kind(int code)
{
    if (code == TOO_LARGE)
        return KIND_PROTOCOL;
    if (code == CURLE_SSL_CACERT_BADFILE && ran_short())
        return KIND_CONNECT;
    switch ((CURLcode)code) {
    case CURLE_OK:
        return KIND_NONE;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return KIND_DNS;
    case CURLE_COULDNT_CONNECT:
#if LIBCURL_VERSION_NUM >= 0x074900
    case CURLE_PROXY:
#endif
        return KIND_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return KIND_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_USE_SSL_FAILED:
        return KIND_TLS;
    case CURLE_UNSUPPORTED_PROTOCOL:        /* HTTP/0.9, which is any bytes at all */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR:                 /* our own cap */
        return KIND_PROTOCOL;
    default:
        return KIND_NETWORK;
    }
}

const char *fault_words(int code, enum kind kind, const char *words)
{
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return "the connection was lost";               /* and the request was not to be repeated */
    if (strncmp(words, "Unsupported proxy", 17) == 0)
        return "the proxy's URL cannot be used";        /* libcurl shows all of it, with the password */
    if (code == CURLE_SSL_CACERT_BADFILE && kind == KIND_CONNECT)
        return "no descriptor, or no memory, to read the file of certificates with";
    return words[0] ? words : curl_easy_strerror((CURLcode)code);
}
