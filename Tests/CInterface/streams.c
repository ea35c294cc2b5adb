/* Tables in and out: a producer written by hand, and what becomes of its events. */
#include <errno.h>
#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* ---- A stream of batches of users u0 ..., items i0 ... and times ---------------------------------------------------------------- */

enum { users = 50, events = 11, batch_users = 20 };

static int streams_released, arrays_released, schemas_released, arrays_made, schemas_made;

struct producer {
    int next_user;
    int fails; /* after the first batch */
    int has_null;
};

static void release_schema(struct ArrowSchema *schema) {
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
        free(schema->children[i]);
    }
    free(schema->children);
    schema->release = NULL;
    schemas_released++;
}

static void make_schema(struct ArrowSchema *schema, const char *format, const char *name, int64_t children) {
    memset(schema, 0, sizeof *schema);
    schema->format = format;
    schema->name = name;
    schema->flags = ARROW_FLAG_NULLABLE;
    schema->n_children = children;
    if (children > 0) schema->children = calloc((size_t)children, sizeof *schema->children);
    for (int64_t i = 0; i < children; i++) schema->children[i] = calloc(1, sizeof **schema->children);
    schema->release = release_schema;
    schemas_made++;
}

static void release_array(struct ArrowArray *array) {
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release) array->children[i]->release(array->children[i]);
        free(array->children[i]);
    }
    for (int64_t i = 0; i < array->n_buffers; i++) free((void *)array->buffers[i]);
    free(array->children);
    free(array->buffers);
    array->release = NULL;
    arrays_released++;
}

static void make_array(struct ArrowArray *array, int64_t length, int64_t buffers, int64_t children) {
    memset(array, 0, sizeof *array);
    array->length = length;
    array->n_buffers = buffers;
    array->n_children = children;
    array->buffers = calloc((size_t)buffers, sizeof *array->buffers);
    if (children > 0) array->children = calloc((size_t)children, sizeof *array->children);
    for (int64_t i = 0; i < children; i++) array->children[i] = calloc(1, sizeof **array->children);
    array->release = release_array;
    arrays_made++;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    (void)stream;
    make_schema(out, "+s", "", 3);
    make_schema(out->children[0], "u", "customer", 0);
    make_schema(out->children[1], "u", "sku", 0);
    make_schema(out->children[2], "tsu:UTC", "when", 0);
    return 0;
}

/* Texts "u12": `kind` and a number. */
static void make_texts(struct ArrowArray *array, int64_t length, char kind, int (*number)(int64_t row, int first), int first) {
    make_array(array, length, 3, 0);
    int32_t *offsets = malloc(sizeof *offsets * (size_t)(length + 1));
    char *bytes = malloc((size_t)length * 8 + 1);
    offsets[0] = 0;
    for (int64_t row = 0; row < length; row++)
        offsets[row + 1] = offsets[row] + sprintf(bytes + offsets[row], "%c%d", kind, number(row, first));
    array->buffers[1] = offsets;
    array->buffers[2] = bytes;
}

static int user_of(int64_t row, int first) { return first + (int)(row / events); }
static int item_of(int64_t row, int first) {
    int event = (int)(row % events);
    return (user_of(row, first) * 3 + event * event) % 19;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    struct producer *producer = stream->private_data;
    if (producer->fails && producer->next_user > 0) return EIO;
    memset(out, 0, sizeof *out);
    if (producer->next_user >= users) return 0;
    int first = producer->next_user, count = users - first < batch_users ? users - first : batch_users;
    producer->next_user += count;
    int64_t rows = (int64_t)count * events;
    make_array(out, rows, 1, 3);
    make_texts(out->children[0], rows, 'u', user_of, first);
    make_texts(out->children[1], rows, 'i', item_of, first);
    make_array(out->children[2], rows, 2, 0);
    int64_t *times = malloc(sizeof *times * (size_t)rows);
    for (int64_t row = 0; row < rows; row++) times[row] = 1700000000000000 + row * 1000000;
    out->children[2]->buffers[1] = times;
    if (producer->has_null) {
        unsigned char *valid = malloc((size_t)rows / 8 + 1);
        memset(valid, 0xff, (size_t)rows / 8 + 1);
        valid[0] = 0xfb; /* row 2 */
        out->children[1]->buffers[0] = valid;
        out->children[1]->null_count = 1;
    }
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream) {
    (void)stream;
    return "the disk is on fire";
}

static void release_stream(struct ArrowArrayStream *stream) {
    stream->release = NULL;
    streams_released++;
}

static struct ArrowArrayStream produced(struct producer *producer) {
    struct ArrowArrayStream stream = {get_schema, get_next, get_last_error, release_stream, producer};
    return stream;
}

static int all_released(int streams) {
    return streams_released == streams && arrays_released == arrays_made && schemas_released == schemas_made;
}

/* ---- Consumers -------------------------------------------------------------------------------------------------------------------- */

/* Rows of a stream, which is read to its end; `see` is called for each. */
static int64_t read_all(struct ArrowArrayStream *stream, void (*see)(const struct ArrowArray *batch, int64_t row, void *), void *context) {
    struct ArrowArray batch;
    int64_t rows = 0;
    for (;;) {
        CHECK(stream->get_next(stream, &batch) == 0);
        if (!batch.release) break;
        for (int64_t row = 0; row < batch.length; row++, rows++)
            if (see) see(&batch, row, context);
        batch.release(&batch);
    }
    stream->release(stream);
    CHECK(stream->release == NULL);
    return rows;
}

static recblr_text cell(const struct ArrowArray *batch, int column, int64_t row) {
    const struct ArrowArray *array = batch->children[column];
    const int32_t *offsets = array->buffers[1];
    row += array->offset;
    recblr_text result = {(const char *)array->buffers[2] + offsets[row], (size_t)(offsets[row + 1] - offsets[row])};
    return result;
}

struct seen {
    int64_t rows;
    int32_t last_rank;
    char last_user[16];
};

static void see_recommendation(const struct ArrowArray *batch, int64_t row, void *context) {
    struct seen *seen = context;
    recblr_text user = cell(batch, 0, row);
    int32_t rank = ((const int32_t *)batch->children[2]->buffers[1])[row];
    float score = ((const float *)batch->children[3]->buffers[1])[row];
    int same = is(user, seen->last_user);
    CHECK(rank == (same ? seen->last_rank + 1 : 1));
    CHECK(is(user, "stranger") ? isnan(score) : isfinite(score));
    CHECK(cell(batch, 1, row).length > 1);
    seen->last_rank = rank;
    snprintf(seen->last_user, sizeof seen->last_user, "%.*s", (int)user.length, user.bytes);
    seen->rows++;
}

/* ---- The tests ------------------------------------------------------------------------------------------------------------------- */

static const char *const columns = "{\"user\": \"customer\", \"item\": \"sku\", \"timestamp\": \"when\"}";

static int32_t read_dataset(struct producer *producer, const char *settings, const char *folder, recblr_dataset **dataset, recblr_error **error) {
    struct ArrowArrayStream stream = produced(producer);
    int32_t status = recblr_dataset_read(&stream, text(settings), text(folder), NULL, dataset, error);
    CHECK(stream.release == NULL);
    return status;
}

static int32_t always(void *context) { return context == NULL; }

static void stopped(void) {
    recblr_error *error = NULL;
    recblr_dataset *none = NULL;
    recblr_observer observer = {NULL, NULL, NULL, always};
    struct producer producer = {0};
    struct ArrowArrayStream stream = produced(&producer);
    CHECK(bad(recblr_dataset_read(&stream, text(columns), text("never"), &observer, &none, &error), &error, RECBLR_INTERRUPTED, "nothing is written"));
    CHECK(stream.release == NULL && none == NULL && access("never", F_OK) != 0);
}

static void errors(void) {
    recblr_error *error = NULL;
    recblr_dataset *none = NULL;
    struct producer producer = {0, 1, 0};
    CHECK(bad(read_dataset(&producer, columns, "never", &none, &error), &error, RECBLR_BAD_DATA, "on fire"));
    producer = (struct producer){0, 0, 1};
    CHECK(bad(read_dataset(&producer, columns, "never", &none, &error), &error, RECBLR_BAD_DATA, "sku"));
    producer = (struct producer){0};
    CHECK(bad(read_dataset(&producer, "{\"user\": \"nobody\"}", "never", &none, &error), &error, RECBLR_BAD_DATA, "nobody"));
    producer = (struct producer){0};
    CHECK(bad(read_dataset(&producer, "{\"colour\": 1}", "never", &none, &error), &error, RECBLR_USAGE, "colour"));
    producer = (struct producer){0};
    CHECK(bad(read_dataset(&producer, "{\"min_user_events\": 2.5}", "never", &none, &error), &error, RECBLR_USAGE, "min_user_events"));
    producer = (struct producer){0, 0, 1};
    CHECK(bad(read_dataset(&producer, columns, "never", &none, &error), &error, RECBLR_BAD_DATA, "skip_bad_rows"));
    producer = (struct producer){0};
    CHECK(bad(read_dataset(&producer, "[1]", "never", &none, &error), &error, RECBLR_USAGE, "JSON"));
    producer = (struct producer){0};
    CHECK(bad(read_dataset(&producer, "{\"min_user_events\": 0}", "never", &none, &error), &error, RECBLR_USAGE, "at least 1"));
    producer = (struct producer){0};
    CHECK(bad(read_dataset(&producer, columns, "", &none, &error), &error, RECBLR_USAGE, "empty"));
    CHECK(bad(recblr_dataset_read(NULL, text(columns), text("never"), NULL, &none, &error), &error, RECBLR_USAGE, "NULL"));
    CHECK(bad(recblr_dataset_open(text("never"), &none, &error), &error, RECBLR_NO_INPUT, "never"));
    CHECK(bad(recblr_dataset_events(NULL, NULL, &error), &error, RECBLR_USAGE, "NULL"));
    CHECK(none == NULL && access("never", F_OK) != 0);
}

static int64_t recommend(recblr_model *model, recblr_dataset *dataset, struct ArrowArrayStream *who, const char *settings, struct seen *seen) {
    struct ArrowArrayStream answer;
    recblr_error *error = NULL;
    if (!good(recblr_model_recommend(model, dataset, who, text(settings), &answer, &error), &error)) return -1;
    return read_all(&answer, see_recommendation, seen);
}

/* A stream of one batch with one column of users: u7, stranger. */
static int get_user_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    (void)stream;
    make_schema(out, "+s", "", 1);
    make_schema(out->children[0], "u", "who", 0);
    return 0;
}

static int get_users(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    struct producer *producer = stream->private_data;
    memset(out, 0, sizeof *out);
    if (producer->next_user) return 0;
    producer->next_user = 1;
    make_array(out, 2, 1, 1);
    make_array(out->children[0], 2, 3, 0);
    int32_t *offsets = malloc(3 * sizeof *offsets);
    offsets[0] = 0, offsets[1] = 2, offsets[2] = 10;
    char *bytes = malloc(10);
    memcpy(bytes, "u7stranger", 10);
    out->children[0]->buffers[1] = offsets;
    out->children[0]->buffers[2] = bytes;
    return 0;
}

/* A stream without columns, of one batch of two rows. */
static int get_no_columns(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    (void)stream;
    make_schema(out, "+s", "", 0);
    return 0;
}

static int get_nothing(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    struct producer *producer = stream->private_data;
    memset(out, 0, sizeof *out);
    if (producer->next_user++) return 0;
    make_array(out, 2, 1, 0);
    return 0;
}

static void recommendations(recblr_model *model, recblr_dataset *dataset) {
    recblr_error *error = NULL;
    struct seen seen = {0};
    CHECK(recommend(model, dataset, NULL, "{\"k\": 5}", &seen) == users * 5);
    seen = (struct seen){0};
    CHECK(recommend(model, dataset, NULL, "{\"k\": 3, \"threads\": 3, \"exclude_seen\": false}", &seen) == users * 3);
    seen = (struct seen){0};
    CHECK(recommend(model, dataset, NULL, "{\"only\": [\"i1\", \"i2\"], \"exclude_seen\": false}", &seen) == users * 2);
    struct producer producer = {0};
    struct ArrowArrayStream who = {get_user_schema, get_users, get_last_error, release_stream, &producer};
    seen = (struct seen){0};
    CHECK(recommend(model, dataset, &who, "{\"k\": 4}", &seen) == 8 && who.release == NULL);
    CHECK(is(text(seen.last_user), "stranger"));
    struct ArrowArrayStream answer;
    producer = (struct producer){0};
    who = (struct ArrowArrayStream){get_no_columns, get_nothing, get_last_error, release_stream, &producer};
    CHECK(bad(recblr_model_recommend(model, dataset, &who, text(""), &answer, &error), &error, RECBLR_BAD_DATA, "one column"));
    CHECK(bad(recblr_model_recommend(model, dataset, NULL, text("{\"k\": 0}"), &answer, &error), &error, RECBLR_USAGE, "at least 1"));
    CHECK(bad(recblr_model_recommend(model, dataset, NULL, text("{\"only\": [\"x\"]}"), &answer, &error), &error, RECBLR_BAD_DATA, "'x'"));
    CHECK(bad(recblr_model_recommend(model, dataset, NULL, text("{\"at\": 5}"), &answer, &error), &error, RECBLR_USAGE, "no time"));
    CHECK(bad(recblr_model_recommend(NULL, dataset, NULL, text(""), &answer, &error), &error, RECBLR_USAGE, "NULL"));
}

/* What a child of a process that has computed on several threads may do. */
static void forked(recblr_model *model, struct ArrowArrayStream *answers) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        recblr_error *error = NULL;
        recblr_session *session = NULL;
        recblr_bytes *output = NULL;
        failures = 0;
        CHECK(good(recblr_session_new(model, &session, &error), &error));
        CHECK(good(recblr_session_push(session, text("i3"), NULL, &error), &error));
        recblr_session_free(session);
        CHECK(bad(run("inspect data", NULL, &output, &error), &error, RECBLR_UNAVAILABLE, "fork"));
        struct ArrowArray batch;
        CHECK(answers->get_next(answers, &batch) != 0 && strstr(answers->get_last_error(answers), "fork"));
        _exit(failures != 0);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    recblr_error *error = NULL;
    recblr_dataset *dataset = NULL;
    recblr_model *model = NULL;
    recblr_bytes *output = NULL;
    errors();
    stopped();
    int before = streams_released;
    struct producer producer = {0};
    CHECK(good(read_dataset(&producer, columns, "data", &dataset, &error), &error));
    CHECK(all_released(before + 1));

    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    CHECK(good(recblr_dataset_events(dataset, &stream, &error), &error));
    CHECK(stream.get_schema(&stream, &schema) == 0 && strcmp(schema.format, "+s") == 0 && schema.n_children == 3);
    CHECK(strcmp(schema.children[2]->name, "timestamp") == 0 && strcmp(schema.children[2]->format, "tsu:UTC") == 0);
    schema.release(&schema);
    recblr_dataset *copy = NULL;
    CHECK(good(recblr_dataset_read(&stream, text(""), text("copy"), NULL, &copy, &error), &error)); /* by the usual names */
    recblr_dataset_free(copy);
    CHECK(system("cmp -s data/items.i32 copy/items.i32 && cmp -s data/timestamps.i64 copy/timestamps.i64 && cmp -s data/users.tsv copy/users.tsv") == 0);
    CHECK(good(recblr_dataset_events(dataset, &stream, &error), &error));
    CHECK(read_all(&stream, NULL, NULL) == users * events);

    CHECK(good(run("train data --model model --epochs 1 --hidden-size 8 --threads 1 --device cpu", NULL, &output, &error), &error));
    recblr_bytes_free(output);
    CHECK(good(recblr_model_open(text("model"), &model, &error), &error));
    CHECK(good(recblr_model_vectors(model, &stream, &error), &error));
    CHECK(stream.get_schema(&stream, &schema) == 0 && strcmp(schema.children[1]->format, "+w:8") == 0);
    schema.release(&schema);
    CHECK(read_all(&stream, NULL, NULL) == recblr_model_item_count(model));
    recommendations(model, dataset);
    CHECK(good(recblr_model_vectors(model, &stream, &error), &error));
    struct ArrowArrayStream answers;
    CHECK(good(recblr_model_recommend(model, dataset, NULL, text(""), &answers, &error), &error));
    forked(model, &answers);
    answers.release(&answers);
    recblr_dataset_free(dataset);
    recblr_model_free(model); /* the stream keeps what it needs */
    CHECK(read_all(&stream, NULL, NULL) == 19);
    CHECK(arrays_released == arrays_made && schemas_released == schemas_made);
    return ended("streams");
}
