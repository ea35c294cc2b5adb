/* RecBLR for C: datasets, models, sessions, and every command of the program.
 *
 * Errors. A function that can fail returns 0, or one of the codes of recblr_status. Where its last parameter is not NULL it then also sets
 * that to an error with a sentence for people, which the caller frees. What it would have handed out is left as it was. No function
 * ends the process, except recblr_main; a NULL where something is needed is an error like others. Pointers to memory that is not what
 * the types say cannot be checked.
 *
 * Text. All text is UTF-8, given by a pointer and a length in bytes; it need not end with a zero byte. Text that the library hands out
 * belongs to the object that it was asked of, and lasts as long.
 *
 * Threads. Datasets and models do not change: any number of threads may use one at the same time. A session may be used by one
 * thread at a time, different sessions at the same time. An object must not be freed while a call uses it; objects made from it (a session
 * of a model, a stream of a dataset) keep what they need alive by themselves. There are no global settings; all that a process
 * remembers is whether it has computed on several threads (see Fork).
 *
 * Files. The files of an open dataset are mapped: replace its folder as this library does, by renaming, or remove it, but do not write into its
 * files.
 *
 * Fork. Datasets, models and sessions can be used in a child process. Calls that compute on several threads (recblr_run,
 * recblr_dataset_read, and reading what recblr_model_recommend gave) cannot if the parent made one before the fork, since its threads are not in the child: they
 * return RECBLR_UNAVAILABLE and say so.
 *
 * Versions. recblr_abi() grows when something that is declared here changes or goes; additions leave it as it is.
 */
#ifndef RECBLR_H
#define RECBLR_H

#include <stddef.h>
#include <stdint.h>

/* struct ArrowArrayStream, of the Arrow C data interface (https://arrow.apache.org/docs/format/CDataInterface.html). */
#include "CArrow.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RECBLR_ABI 1

/* The version of the library, such as "0.7.0"; ends with a zero byte, lasts for ever. Any thread, several at once. */
const char *recblr_version(void);
/* RECBLR_ABI of the library; a program compares it with that of its header. Any thread, several at once. */
uint32_t recblr_abi(void);

/* What a call returns: the program's exit codes, which are those of sysexits.h. */
enum recblr_status {
    RECBLR_OK = 0,
    RECBLR_USAGE = 64,       /* arguments or settings that cannot be */
    RECBLR_BAD_DATA = 65,    /* input that is not what it should be */
    RECBLR_NO_INPUT = 66,    /* input that is not there */
    RECBLR_UNAVAILABLE = 69, /* no such device, or a child process */
    RECBLR_INTERNAL = 70,    /* an error of the library itself */
    RECBLR_SYSTEM = 71,      /* a limit of the system */
    RECBLR_CANNOT_CREATE = 73, /* output that cannot be written */
    RECBLR_INTERRUPTED = 75  /* stopped by the caller; a training can go on */
};

/* UTF-8; `bytes` may be NULL where `length` is 0. */
typedef struct recblr_text {
    const char *bytes;
    size_t length;
} recblr_text;

/* An error: a code and a sentence. */
typedef struct recblr_error recblr_error;
/* 0 for NULL. Any thread, several at once. */
int32_t recblr_error_code(const recblr_error *error);
/* Lasts until recblr_error_free. Any thread, several at once. */
recblr_text recblr_error_message(const recblr_error *error);
/* NULL is allowed, as in every function that frees. Once for each object, while no call uses it; any thread, which holds for all that free. */
void recblr_error_free(recblr_error *error);

/* Bytes that the library hands out, often JSON. */
typedef struct recblr_bytes recblr_bytes;
/* Lasts until recblr_bytes_free. Any thread, several at once. */
recblr_text recblr_bytes_text(const recblr_bytes *bytes);
void recblr_bytes_free(recblr_bytes *bytes);

/* ---- Commands ------------------------------------------------------------------------------------------------------------------ */

/* How far a training is. */
typedef struct recblr_progress {
    int32_t epoch, epochs; /* from 1 */
    int64_t step, steps;   /* of this epoch */
    double loss;           /* mean of the epoch so far, nats */
    double events_per_second;
} recblr_progress;

/* Whoever wants to know what a long call does. A function may be NULL. They are called on the thread of the call, while it runs. */
typedef struct recblr_observer {
    void *context;                                                   /* given to each function */
    void (*message)(void *context, recblr_text text);                /* what the program prints on standard error */
    void (*progress)(void *context, const recblr_progress *progress); /* after every step while a model is trained */
    int32_t (*is_stopped)(void *context); /* other than 0 stops the call: asked after every step of a training (train, experiment), every
                                             batch of answers or test cases (recommend, evaluate) and every 65,536 events that are read
                                             (prepare, store import, recblr_dataset_read); other commands go on to their end */
} recblr_observer;

/* Runs a command as `recblr` does, in this process: prepare, train, evaluate, recommend, import, export, inspect, experiment, devices and
 * store, with the arguments that `recblr COMMAND --help` lists. What it prints on standard output becomes `output`: with --json, a
 * document. It catches no signals and never writes to standard streams. `serve` is refused: it is for a process of its own. Any thread, several at once; takes as long as the command takes. */
int32_t recblr_run(const recblr_text *arguments, size_t count, const recblr_observer *observer, recblr_bytes **output,
                   recblr_error **error);

/* The program itself: `main` of a program that is nothing but `recblr`. Ends the process. The main thread, once. */
void recblr_main(int argc, char **argv);

/* ---- Datasets ------------------------------------------------------------------------------------------------------------------- */

typedef struct recblr_dataset recblr_dataset;

/* Opens a folder that `prepare` has written. O(users + items), the events are mapped. Any thread, several at once. */
int32_t recblr_dataset_open(recblr_text folder, recblr_dataset **dataset, recblr_error **error);
/* Writes a dataset from record batches of events, and opens it: what `prepare` does with a file of the same events.
 *
 * `events` is consumed and released, also where it fails. `settings` is a JSON object; all keys may be left out: "user", "item",
 * "timestamp", "rating" (names of columns), "file_order" (boolean: the order of rows is the order of time), "where" (an object from names of columns to
 * lists of values), "min_rating" (number), "dedupe" ("exact", "consecutive"), "min_user_events", "min_item_events" (5), "titles" (an object from
 * item ids to titles), "skip_bad_rows" (boolean), "source" (a name). `folder` must not exist, or be an older dataset, which is replaced. Any thread, several at once. */
int32_t recblr_dataset_read(struct ArrowArrayStream *events, recblr_text settings, recblr_text folder, const recblr_observer *observer,
                            recblr_dataset **dataset, recblr_error **error);
/* The events as a stream: user, item (utf8), and where there are times timestamp (microseconds, UTC, or int64 where they are no dates). The
 * caller releases it. Any thread, several at once. */
int32_t recblr_dataset_events(const recblr_dataset *dataset, struct ArrowArrayStream *events, recblr_error **error);
void recblr_dataset_free(recblr_dataset *dataset);

/* ---- Models ---------------------------------------------------------------------------------------------------------------------- */

typedef struct recblr_model recblr_model;

/* Opens a model's folder, for a processor. O(weights). Any thread, several at once. */
int32_t recblr_model_open(recblr_text folder, recblr_model **model, recblr_error **error);
/* The number of items; 0 for NULL. Any thread, several at once. */
int64_t recblr_model_item_count(const recblr_model *model);
/* The id of an item, 0 ... count - 1; empty where there is none. Lasts as long as the model. Any thread, several at once. */
recblr_text recblr_model_item(const recblr_model *model, int64_t item);
/* The title of an item; empty where it has none. Lasts as long as the model. Any thread, several at once. */
recblr_text recblr_model_title(const recblr_model *model, int64_t item);
/* The item with this id; -1 where there is none. Any thread, several at once. */
int64_t recblr_model_find(const recblr_model *model, recblr_text id);
/* The table of embeddings as a stream: item (utf8), vector (fixed-size list of float32). The caller releases it. Any thread, several at once. */
int32_t recblr_model_vectors(const recblr_model *model, struct ArrowArrayStream *vectors, recblr_error **error);
/* The best next items of users of a dataset, as a stream that computes while it is read: user, item (utf8), rank (int32, from 1), score
 * (float32; NaN where a user has no event that the model knows and gets popular items).
 *
 * `users`: a stream with one column of user ids (utf8), consumed and released, or NULL for all users of the dataset. An id that the dataset does not have gets
 * popular items. `settings` is a JSON object; all keys may be left out: "k" (10), "exclude_seen" (true), "exclude", "only" (lists of item ids),
 * "threads", "at" (for a model with time: nanoseconds since 1970). Scores do not depend on the threads. The caller releases `recommendations`. Any thread, several at once;
 * what was given is read by one thread at a time. */
int32_t recblr_model_recommend(const recblr_model *model, const recblr_dataset *dataset, struct ArrowArrayStream *users, recblr_text settings,
                               struct ArrowArrayStream *recommendations, recblr_error **error);
void recblr_model_free(recblr_model *model);

/* ---- Sessions -------------------------------------------------------------------------------------------------------------------- */

/* One user, live: what the model remembers (some kilobytes, whatever the number of events) and the items so far (4 bytes an event). */
typedef struct recblr_session recblr_session;

/* A session without events. Any thread, several at once. */
int32_t recblr_session_new(const recblr_model *model, recblr_session **session, recblr_error **error);
/* A copy that goes its own way. O(state). One thread at a time with a session. */
int32_t recblr_session_fork(const recblr_session *session, recblr_session **copy, recblr_error **error);
/* An event: the item that the user has just chosen, and for a model with time when, in nanoseconds since 1970 (NULL else). O(D·H), whatever the
 * history. An item that the model does not know is an error, and changes nothing. One thread at a time with a session. */
int32_t recblr_session_push(recblr_session *session, recblr_text item, const int64_t *time, recblr_error **error);
/* The number of events; 0 for NULL. One thread at a time with a session. */
int64_t recblr_session_count(const recblr_session *session);
/* The `k` best next items, best first: their numbers (recblr_model_item has their ids) and scores. `items` and `scores` have room for `k`
 * each; `count` becomes how many there are. Without events they are the most popular, and their scores NaN. `exclude_seen`: other than 0 leaves out what the session
 * has. `time`: when it is asked, for a model with time, nanoseconds since 1970; NULL is the time of the last event. O(V·D). One thread at a time with a session. */
int32_t recblr_session_top(const recblr_session *session, int64_t k, int32_t exclude_seen, const int64_t *time, int64_t *items, float *scores,
                           int64_t *count, recblr_error **error);
/* Why an item has its score after this session: a JSON object whose terms add up to it, as those of `recblr recommend --explain --json`:
 * {"score": …, "terms": [{"item": …, "contribution": …, "scoreWithout": …}], "earlier": …, "constant": …, "repeats": …, "transitions": …}.
 * `time` as in recblr_session_top. O(events · D·H). One thread at a time with a session. */
int32_t recblr_session_explain(const recblr_session *session, recblr_text item, const int64_t *time, recblr_bytes **json,
                               recblr_error **error);
/* The session as bytes, for the same model only. One thread at a time with a session. */
int32_t recblr_session_save(const recblr_session *session, recblr_bytes **bytes, recblr_error **error);
/* The session of such bytes. Bytes of another model, or damaged ones, are an error. Any thread, several at once. */
int32_t recblr_session_restore(const recblr_model *model, recblr_text bytes, recblr_session **session, recblr_error **error);
void recblr_session_free(recblr_session *session);

#ifdef __cplusplus
}
#endif

#endif
