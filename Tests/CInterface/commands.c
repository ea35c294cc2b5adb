/* Commands, their observer, models and sessions: from a log that this program writes to recommendations. */
#include <locale.h>
#include <math.h>
#include <pthread.h>

#include "check.h"

static void write_log(const char *path) {
    FILE *file = fopen(path, "w");
    fputs("user,item,time\n", file);
    unsigned random = 7;
    for (int user = 0; user < 60; user++)
        for (int event = 0; event < 12; event++) {
            random = random * 1103515245u + 12345u;
            fprintf(file, "u%d,i%d,%d\n", user, (user + event * event + (int)(random >> 28)) % 23, 1700000000 + user * 100000 + event * 3600);
        }
    fclose(file);
}

struct heard {
    int messages, steps, stop_after;
    int32_t epochs;
};

static void hear(void *context, recblr_text message) {
    ((struct heard *)context)->messages += message.length > 0;
}

static void see(void *context, const recblr_progress *progress) {
    struct heard *heard = context;
    heard->steps++;
    heard->epochs = progress->epochs;
}

static int32_t stops(void *context) {
    struct heard *heard = context;
    return heard->stop_after > 0 && heard->steps >= heard->stop_after;
}

static void commands(void) {
    recblr_error *error = NULL;
    recblr_bytes *output = NULL;
    struct heard heard = {0};
    recblr_observer observer = {&heard, hear, see, stops};
    write_log("log.csv");
    CHECK(good(run("prepare log.csv --output data --json", &observer, &output, &error), &error));
    CHECK(contains(recblr_bytes_text(output), "\"events\" : 720"));
    CHECK(heard.messages > 0);
    recblr_bytes_free(output);

    heard.stop_after = 2;
    const char *train = "train data --model model --epochs 2 --batch-tokens 64 --hidden-size 8 --threads 1 --device cpu --json";
    CHECK(bad(run(train, &observer, &output, &error), &error, RECBLR_INTERRUPTED, "--resume"));
    CHECK(heard.epochs == 2 && heard.steps >= 2);
    heard.stop_after = 0;
    CHECK(good(run("train data --model model --epochs 2 --batch-tokens 64 --hidden-size 8 --threads 1 --device cpu --json --resume", &observer,
                   &output, &error),
               &error));
    CHECK(contains(recblr_bytes_text(output), "\"bestEpoch\""));
    recblr_bytes_free(output);
    CHECK(good(run("evaluate model data --json --device cpu", NULL, &output, &error), &error));
    CHECK(contains(recblr_bytes_text(output), "\"ndcg\""));
    recblr_bytes_free(output);
    heard.stop_after = 1;
    CHECK(bad(run("evaluate model data --device cpu", &observer, &output, &error), &error, RECBLR_INTERRUPTED, "stopped"));

    const char *german = setlocale(LC_ALL, "de_DE.UTF-8");
    if (!german) printf("there is no locale with another decimal point here\n");
    CHECK(good(run("evaluate model data --device cpu", NULL, &output, &error), &error));
    CHECK(contains(recblr_bytes_text(output), " 0.") && !contains(recblr_bytes_text(output), " 0,"));
    recblr_bytes_free(output);
    setlocale(LC_ALL, "C");

    CHECK(bad(run("evaluate model nothing", NULL, &output, &error), &error, RECBLR_NO_INPUT, "nothing"));
    CHECK(bad(run("train data", NULL, &output, &error), &error, RECBLR_USAGE, "--model"));
    CHECK(bad(run("serve", NULL, &output, &error), &error, RECBLR_USAGE, "process of its own"));
    CHECK(bad(run("", NULL, &output, &error), &error, RECBLR_USAGE, "no command"));
    CHECK(bad(run("inspect data", NULL, NULL, &error), &error, RECBLR_USAGE, "NULL"));
    CHECK(run("evaluate model nothing", NULL, &output, NULL) == RECBLR_NO_INPUT);
    recblr_text wrong = {"\xff\xfe", 2};
    CHECK(bad(recblr_run(&wrong, 1, NULL, &output, &error), &error, RECBLR_USAGE, "UTF-8"));
}

/* What the program does beside: other programs' files, answers, a model with time. */
static void others(void) {
    static const char *const lines[] = {
        "export model --format vectors --output vectors.npy",
        "export model --format onnx --output onnx",
        "export model --format recbole --output weights.safetensors",
        "import weights.safetensors --length 50 --model back",
        "inspect back --verify",
        "evaluate model data --device cpu --output metrics.json",
        "recommend model --data data --all-users --format csv",
        "train data --model timed --time --epochs 1 --batch-tokens 256 --hidden-size 8 --threads 1 --device cpu",
    };
    recblr_error *error = NULL;
    recblr_bytes *output = NULL;
    for (size_t line = 0; line < sizeof lines / sizeof *lines; line++) {
        CHECK(good(run(lines[line], NULL, &output, &error), &error));
        recblr_bytes_free(output);
        output = NULL;
    }
    recblr_model *model = NULL;
    recblr_session *session = NULL;
    CHECK(good(recblr_model_open(text("timed"), &model, &error), &error));
    CHECK(good(recblr_session_new(model, &session, &error), &error));
    CHECK(bad(recblr_session_push(session, text("i3"), NULL, &error), &error, RECBLR_BAD_DATA, "times"));
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1700000000000000000, INT64_MAX - 1, INT64_MAX};
    for (size_t event = 0; event < sizeof times / sizeof *times; event++)
        for (size_t asked = 0; asked < sizeof times / sizeof *times; asked++) {
            int64_t items[64], count = -1;
            float scores[64];
            recblr_session *own = NULL;
            CHECK(good(recblr_session_fork(session, &own, &error), &error));
            CHECK(good(recblr_session_push(own, text("i3"), &times[event], &error), &error));
            CHECK(good(recblr_session_push(own, text("i5"), &times[asked], &error), &error));
            CHECK(good(recblr_session_top(own, INT64_MAX, 0, &times[event], items, scores, &count, &error), &error));
            CHECK(count == recblr_model_item_count(model) && isfinite(scores[0]) && isfinite(scores[count - 1]));
            recblr_session_free(own);
        }
    recblr_session_free(session);
    recblr_model_free(model);
}

static int64_t best(recblr_session *session, int64_t *items, float *scores) {
    recblr_error *error = NULL;
    int64_t count = -1;
    CHECK(good(recblr_session_top(session, 5, 1, NULL, items, scores, &count, &error), &error));
    return count;
}

static void sessions(recblr_model *model) {
    recblr_error *error = NULL;
    recblr_session *session = NULL, *copy = NULL;
    int64_t items[5], others[5];
    float scores[5], other_scores[5];
    CHECK(good(recblr_session_new(model, &session, &error), &error));
    CHECK(best(session, items, scores) == 5 && isnan(scores[0]));
    CHECK(good(recblr_session_push(session, text("i3"), NULL, &error), &error));
    CHECK(best(session, items, scores) == 5 && scores[0] >= scores[1] && recblr_session_count(session) == 1);
    for (int i = 0; i < 5; i++) CHECK(!is(recblr_model_item(model, items[i]), "i3"));
    CHECK(good(recblr_session_fork(session, &copy, &error), &error));
    CHECK(good(recblr_session_push(copy, text("i9"), NULL, &error), &error));
    CHECK(recblr_session_count(session) == 1 && recblr_session_count(copy) == 2);
    CHECK(bad(recblr_session_push(copy, text("nobody knows"), NULL, &error), &error, RECBLR_BAD_DATA, "nobody knows"));
    CHECK(recblr_session_count(copy) == 2);

    recblr_bytes *bytes = NULL;
    CHECK(good(recblr_session_save(copy, &bytes, &error), &error));
    recblr_text saved = recblr_bytes_text(bytes);
    recblr_session *again = NULL;
    CHECK(good(recblr_session_restore(model, saved, &again, &error), &error));
    CHECK(best(copy, items, scores) == 5 && best(again, others, other_scores) == 5);
    CHECK(memcmp(items, others, sizeof items) == 0 && memcmp(scores, other_scores, sizeof scores) == 0);
    char *damaged = malloc(saved.length);
    for (size_t at = 0; at < saved.length; at += 13) {
        recblr_session *none = NULL;
        memcpy(damaged, saved.bytes, saved.length);
        damaged[at] ^= 0x20;
        recblr_text changed = {damaged, saved.length}, cut = {damaged, at};
        CHECK(recblr_session_restore(model, changed, &none, NULL) == RECBLR_BAD_DATA && none == NULL);
        CHECK(recblr_session_restore(model, cut, &none, NULL) == RECBLR_BAD_DATA && none == NULL);
    }
    free(damaged);
    recblr_bytes_free(bytes);

    CHECK(good(recblr_session_explain(copy, text("i5"), NULL, &bytes, &error), &error));
    CHECK(contains(recblr_bytes_text(bytes), "\"contribution\""));
    recblr_bytes_free(bytes);
    recblr_session_free(again);
    recblr_session_free(copy);
    recblr_session_free(session);
}

static void *many(void *model) {
    recblr_error *error = NULL;
    recblr_session *session = NULL;
    int64_t items[5];
    float scores[5];
    CHECK(good(recblr_session_new(model, &session, &error), &error));
    for (int i = 0; i < 200; i++) {
        char id[8];
        snprintf(id, sizeof id, "i%d", i % 23);
        CHECK(good(recblr_session_push(session, text(id), NULL, &error), &error));
    }
    int64_t count;
    CHECK(good(recblr_session_top(session, 5, 0, NULL, items, scores, &count, &error), &error));
    recblr_session_free(session);
    int64_t *result = malloc(sizeof items);
    return memcpy(result, items, sizeof items);
}

static void threads(recblr_model *model) {
    pthread_t all[4];
    int64_t *first = many(model);
    for (int i = 0; i < 4; i++) pthread_create(&all[i], NULL, many, model);
    for (int i = 0; i < 4; i++) {
        void *own;
        pthread_join(all[i], &own);
        CHECK(memcmp(first, own, 5 * sizeof *first) == 0);
        free(own);
    }
    free(first);
}

static void nothing(void) {
    recblr_error *error = NULL;
    int64_t number = 0;
    float score = 0;
    recblr_session *session = NULL;
    recblr_model *model = NULL;
    recblr_bytes *bytes = NULL;
    recblr_text empty = {NULL, 0}, hole = {NULL, 3}, negative = {"x", (size_t)-1};
    CHECK(bad(recblr_model_open(empty, &model, &error), &error, RECBLR_USAGE, "empty"));
    CHECK(bad(recblr_model_open(hole, &model, &error), &error, RECBLR_USAGE, "NULL"));
    CHECK(bad(recblr_model_open(negative, &model, &error), &error, RECBLR_USAGE, "cannot be"));
    CHECK(bad(recblr_model_open(text("model"), NULL, &error), &error, RECBLR_USAGE, "NULL"));
    CHECK(bad(recblr_model_open(text("no such model"), &model, &error), &error, RECBLR_NO_INPUT, "no such model"));
    CHECK(recblr_model_item_count(NULL) == 0 && recblr_model_find(NULL, text("i1")) == -1);
    CHECK(recblr_model_item(NULL, 0).length == 0 && recblr_model_title(NULL, 0).length == 0);
    CHECK(bad(recblr_session_new(NULL, &session, &error), &error, RECBLR_USAGE, "no model"));
    CHECK(bad(recblr_session_fork(NULL, &session, &error), &error, RECBLR_USAGE, "NULL"));
    CHECK(bad(recblr_session_push(NULL, text("i1"), NULL, &error), &error, RECBLR_USAGE, "NULL"));
    CHECK(recblr_session_count(NULL) == 0);
    CHECK(bad(recblr_session_top(NULL, 1, 1, NULL, &number, &score, &number, &error), &error, RECBLR_USAGE, "NULL"));
    CHECK(bad(recblr_session_explain(NULL, text("i1"), NULL, &bytes, &error), &error, RECBLR_USAGE, "NULL"));
    CHECK(bad(recblr_session_save(NULL, &bytes, &error), &error, RECBLR_USAGE, "NULL"));
    CHECK(bad(recblr_session_restore(NULL, empty, &session, &error), &error, RECBLR_USAGE, "NULL"));
    CHECK(recblr_error_code(NULL) == 0 && recblr_error_message(NULL).length == 0 && recblr_bytes_text(NULL).length == 0);
    recblr_error_free(NULL);
    recblr_bytes_free(NULL);
    recblr_model_free(NULL);
    recblr_session_free(NULL);
    CHECK(model == NULL && session == NULL && bytes == NULL);
}

int main(void) {
    recblr_error *error = NULL;
    recblr_model *model = NULL;
    CHECK(recblr_abi() == RECBLR_ABI && strlen(recblr_version()) >= 5);
    commands();
    others();
    CHECK(good(recblr_model_open(text("model"), &model, &error), &error));
    int64_t count = recblr_model_item_count(model);
    CHECK(count == 23);
    for (int64_t item = 0; item < count; item++) CHECK(recblr_model_find(model, recblr_model_item(model, item)) == item);
    CHECK(recblr_model_item(model, count).length == 0 && recblr_model_item(model, -1).length == 0);
    CHECK(recblr_model_find(model, text("nobody knows")) == -1 && recblr_model_title(model, 0).length == 0);
    int64_t k[1];
    float score[1];
    recblr_session *session = NULL;
    CHECK(good(recblr_session_new(model, &session, &error), &error));
    CHECK(bad(recblr_session_top(session, -1, 1, NULL, k, score, k, &error), &error, RECBLR_USAGE, "negative"));
    CHECK(bad(recblr_session_top(session, 1, 1, NULL, NULL, score, k, &error), &error, RECBLR_USAGE, "NULL"));
    sessions(model);
    threads(model);
    recblr_model_free(model); /* the session keeps what it needs */
    CHECK(good(recblr_session_push(session, text("i3"), NULL, &error), &error));
    recblr_session_free(session);
    nothing();
    return ended("commands");
}
