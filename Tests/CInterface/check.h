/* What the test programs of the C interface share. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recblr.h"

static _Atomic int failures, checks; /* some checks are made on several threads */

#define CHECK(condition)                                                                                                    \
    do {                                                                                                                    \
        checks++;                                                                                                           \
        if (!(condition)) {                                                                                                 \
            failures++;                                                                                                     \
            printf("%s:%d: %s: not so\n", __FILE__, __LINE__, #condition);                                                  \
        }                                                                                                                   \
    } while (0)

static inline recblr_text text(const char *bytes) {
    recblr_text result = {bytes, strlen(bytes)};
    return result;
}

static inline int is(recblr_text one, const char *other) {
    return one.length == strlen(other) && memcmp(one.bytes, other, one.length) == 0;
}

static inline int contains(recblr_text whole, const char *part) {
    size_t length = strlen(part);
    for (size_t i = 0; i + length <= whole.length; i++)
        if (memcmp(whole.bytes + i, part, length) == 0) return 1;
    return 0;
}

/* Whether a call ended well; prints its error where not, and frees it. */
static inline int good(int32_t status, recblr_error **error) {
    if (status == RECBLR_OK) return *error == NULL;
    recblr_text message = recblr_error_message(*error);
    printf("unexpected error %d: %.*s\n", status, (int)message.length, message.bytes);
    recblr_error_free(*error);
    *error = NULL;
    return 0;
}

/* Whether a call failed with this code and these words; frees the error. */
static inline int bad(int32_t status, recblr_error **error, int32_t code, const char *words) {
    recblr_text message = recblr_error_message(*error);
    int result = status == code && recblr_error_code(*error) == code && contains(message, words);
    if (!result) printf("status %d, error %d: %.*s\n", status, recblr_error_code(*error), (int)message.length, message.bytes);
    recblr_error_free(*error);
    *error = NULL;
    return result;
}

/* Runs a command of at most sixteen words, which are separated by single blanks. */
static inline int32_t run(const char *words, const recblr_observer *observer, recblr_bytes **output, recblr_error **error) {
    recblr_text arguments[16];
    size_t count = 0;
    for (const char *word = words; word && *word && count < 16;) {
        const char *end = strchr(word, ' ');
        arguments[count].bytes = word;
        arguments[count++].length = end ? (size_t)(end - word) : strlen(word);
        word = end ? end + 1 : NULL;
    }
    return recblr_run(arguments, count, observer, output, error);
}

static inline int ended(const char *name) {
    printf("%s: %d checks, %d failures\n", name, checks, failures);
    return failures != 0;
}

#endif
