/*
 * kind.c - the table of error kinds.
 */
#include "mediastop.h"

/***
 * @module mediastop */

/*** Every `kind` of an error, when it comes, and whether it is `retryable`.
 * @table Kinds
 * @field invalid_id empty, over 255 bytes, control bytes, `.` or `..`, for memories no UTF-8; nothing is sent
 * @field credentials none found, half a pair, or bytes that cannot stand in a header; nothing is sent
 * @field unauthorized 401
 * @field payment_required 402
 * @field forbidden 403
 * @field not_found 404; memories' 400, which covers "invalid" and "not found"
 * @field not_active the job is in no state to be ended
 * @field invalid_request any other 4xx but 408
 * @field rate_limited 429 (retryable)
 * @field rejected a 2xx whose body says failure
 * @field server 5xx (retryable)
 * @field redirect 3xx, which is never followed
 * @field dns the name has no address (retryable)
 * @field connect the address refuses (retryable)
 * @field tls the certificate or the handshake fails
 * @field network the connection was lost, or the answer was cut short (retryable)
 * @field timeout time ran out, or HTTP 408 (retryable)
 * @field protocol a whole answer that cannot be read: not HTTP, not JSON, over 1 MiB, nested over 100 levels, about another id
 * @field cancelled the caller cancelled the job
 * @field closed the client was closed
 * @field blocking the call would have stalled nginx; nothing is sent
 * @field misuse an item of `each` that is no request; elsewhere misuse raises */
const struct kind_row *kind_row(enum kind kind)
{
    static const struct kind_row rows[] = {
        { "", false, false, "" },
#define KIND_ROW(constant, word, retryable, retried, text) { word, retryable, retried, text },
        ERROR_KINDS(KIND_ROW)
#undef KIND_ROW
    };
    return &rows[kind];
}
