/*
 * spare.h - idle transfers, with their options set, for the next requests. Sees transfers.
 */
#ifndef MEDIASTOP_SPARE_H
#define MEDIASTOP_SPARE_H

#include "transfer.h"

/* All zero: none. Over HTTP/2 libcurl (7.88) may keep the buffer of a body until the handle is freed, and not all are to have
 * one: those whose last request had a body come second. */
struct spare {
    struct queue queue[2];
};

/* Takes one; NULL if there is none. */
struct transfer *spare_take(struct spare *spare, bool has_body);

/* Ends the transfer's exchange, and keeps the transfer if nothing of the request is left in it. */
void spare_give_back(struct spare *spare, struct transfer *transfer);

/* Frees some of many. */
void spare_shrink(struct spare *spare);

void spare_free(struct spare *spare);

#endif
