/*
 * operation.c - the operations as rows.
 */
#include "operation.h"

#include <string.h>

/* How a 400 says that there is no such job. */
#define NO_SUCH_JOB "not found|no such|not exist|doesn't exist|no task|unknown task|invalid task_id|invalid task id|" \
                    "could not find|cannot find"

const struct provider providers[PROVIDER_COUNT] = {
    [MEMORIES] = { "memories", "memories", "https://mavi-backend.memories.ai/serve/api/v2", AUTH_KEY,
                   { "api_key", NULL } },
    [SCREENPLAY] = { "screenplay", "memories", "https://mavi-backend.memories.ai/serve/api/v2", AUTH_KEY,
                     { "api_key", NULL } },
    [EMOGG] = { "emogg", "emogg", "https://api.emogg.com/v1", AUTH_BEARER, { "token", NULL } },
    [FASTPIX] = { "fastpix", "fastpix", "https://api.fastpix.com/v1", AUTH_BASIC, { "username", "password" } },
};

const struct operation operations[OPERATION_COUNT] = {
    [MEMORIES_STOP] = {
        /* Stop Video Stream Moderation; 400: "Invalid task_id or task not found". Never "not active": the page
         * calls it safe for a stream that has already ended. */
        .provider = &providers[MEMORIES],
        .name = "stop",
        .full_name = "memories.stop",
        .method = "POST",
        .path = "/stream/stop",
        .body = "{\"task_id\": \"{id}\"}",
        .id_path = "data.task_id",
        .success_means_ended = true,
        .bad_request = KIND_NOT_FOUND,
        .conflict = KIND_INVALID_REQUEST,
    },
    [SCREENPLAY_CANCEL] = {
        /* Cancel Task. What an ended or an unknown task answers is not published; the provider's general code
         * page has no 404, and 409 for "conflict". */
        .provider = &providers[SCREENPLAY],
        .name = "cancel",
        .full_name = "screenplay.cancel",
        .method = "DELETE",
        .path = "/screenplay/tasks/{id}",
        .id_path = "data.task_id",
        .state_path = "data.status",
        .end_states = "cancelled|canceled",
        .bad_request = KIND_NOT_ACTIVE,
        .conflict = KIND_NOT_ACTIVE,
        .not_found_words = NO_SUCH_JOB,
        .read = &operations[SCREENPLAY_STATUS],
    },
    [SCREENPLAY_STATUS] = {
        /* Get Task Status: pending, running, completed, failed or cancelled. */
        .provider = &providers[SCREENPLAY],
        .name = "status",
        .full_name = "screenplay.status",
        .method = "GET",
        .path = "/screenplay/tasks/{id}",
        .id_path = "data.task_id",
        .state_path = "data.status",
        .end_states = "completed|failed|cancelled|canceled",
        .bad_request = KIND_INVALID_REQUEST,
        .conflict = KIND_INVALID_REQUEST,
        .not_found_words = NO_SUCH_JOB,
        .reads = true,
    },
    [EMOGG_STOP] = {
        /* Stop a session; 400: "The session is not active". Its own example answer still says "active". */
        .provider = &providers[EMOGG],
        .name = "stop",
        .full_name = "emogg.stop",
        .method = "POST",
        .path = "/sessions/{id}/stop",
        .id_path = "_id",
        .state_path = "state",
        .end_states = "finished",
        .bad_request = KIND_NOT_ACTIVE,
        .conflict = KIND_INVALID_REQUEST,
        .read = &operations[EMOGG_STATUS],
    },
    [EMOGG_STATUS] = {
        /* Get a session. Of its states only "active" and "finished" are documented, and "processing" in passing. */
        .provider = &providers[EMOGG],
        .name = "status",
        .full_name = "emogg.status",
        .method = "GET",
        .path = "/sessions/{id}",
        .id_path = "_id",
        .state_path = "state",
        .end_states = "finished",
        .bad_request = KIND_INVALID_REQUEST,
        .conflict = KIND_INVALID_REQUEST,
        .not_found_words = NO_SUCH_JOB,
        .reads = true,
    },
    [FASTPIX_FINISH] = {
        /* Complete a stream; success is {"success":true} alone. A stream that is not live was seen to answer
         * 400 "stream cannot be completed", "Only active streams can be marked as completed." */
        .provider = &providers[FASTPIX],
        .name = "finish",
        .full_name = "fastpix.finish",
        .method = "PUT",
        .path = "/live/streams/{id}/finish",
        .success_means_ended = true,
        .bad_request = KIND_INVALID_REQUEST,
        .conflict = KIND_INVALID_REQUEST,
        .not_active_words = "cannot be completed|only active streams",
        .read = &operations[FASTPIX_STATUS],
    },
    [FASTPIX_STATUS] = {
        /* Get a stream: idle, preparing, active or disabled. "idle" is also what a stream is that never was live. The
         * answer has the keys to publish and to play. */
        .provider = &providers[FASTPIX],
        .name = "status",
        .full_name = "fastpix.status",
        .method = "GET",
        .path = "/live/streams/{id}",
        .id_path = "data.streamId",
        .state_path = "data.status",
        .end_states = "idle|disabled",
        .bad_request = KIND_INVALID_REQUEST,
        .conflict = KIND_INVALID_REQUEST,
        .not_found_words = NO_SUCH_JOB,
        .reads = true,
        .secret_answer = true,
    },
};

const struct operation *operation_find(const char *full_name)
{
    for (size_t i = 0; i < OPERATION_COUNT; i++) {
        if (strcmp(operations[i].full_name, full_name) == 0)
            return &operations[i];
    }
    return NULL;
}

int operation_part(const struct provider *provider, const char *name)
{
    for (int i = 0; i < 2 && provider->fields[i]; i++) {
        if (strcmp(provider->fields[i], name) == 0)
            return i;
    }
    return -1;
}
