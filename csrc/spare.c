/*
 * spare.c - idle transfers, with their options set, for the next requests.
 */
#include "spare.h"

#define MANY 64

static struct transfer *take(struct queue *queue)
{
    struct transfer *transfer = queue_first(queue);
    if (transfer)
        queue_leave(&transfer->link);
    return transfer;
}

struct transfer *spare_take(struct spare *spare, bool has_body)
{
    struct transfer *transfer = take(&spare->queue[has_body]);
    return transfer ? transfer : take(&spare->queue[!has_body]);
}

void spare_give_back(struct spare *spare, struct transfer *transfer)
{
    if (transfer_end(transfer))
        queue_add(&spare->queue[transfer->set.posts], &transfer->link, transfer);
    else
        transfer_free(transfer);
}

void spare_shrink(struct spare *spare)
{
    for (int i = 0; i < 2; i++) {
        if (spare->queue[i].count > MANY)
            transfer_free(take(&spare->queue[i]));
    }
}

void spare_free(struct spare *spare)
{
    for (int i = 0; i < 2; i++) {
        while (spare->queue[i].count > 0)
            transfer_free(take(&spare->queue[i]));
    }
}
