/* The options of the `mote` command: one table (opts.def) for parsing, --help and the docs.
 * Plain data; parsed once by the command before any thread starts. */
#pragma once

#include "vm/base/config.h"

typedef struct OptsList {
    const char **at; /* borrowed from argv */
    size_t count;
    size_t room;
} OptsList;

#define OPTS_TYPE_FLAG bool
#define OPTS_TYPE_INT  int64_t
#define OPTS_TYPE_SIZE int64_t
#define OPTS_TYPE_TEXT const char *
#define OPTS_TYPE_LIST OptsList

typedef struct Opts {
#define OPT(name, kind, initial, other, argument, meaning) OPTS_TYPE_##kind name;
#include "vm/base/opts.def"
#undef OPT
} Opts;

typedef enum {
    OPTS_KIND_FLAG,
    OPTS_KIND_INT,
    OPTS_KIND_SIZE,
    OPTS_KIND_TEXT,
    OPTS_KIND_LIST
} OptsKind;

typedef struct OptsInfo {
    const char *name; /* as the field; the option shows dashes */
    OptsKind kind;
    const char *initial; /* the default, as the table spells it */
    const char *other;
    const char *argument;
    const char *meaning;
    size_t offset; /* of the field in Opts */
} OptsInfo;

extern const OptsInfo opts_info[];
extern const size_t opts_info_count;

/* Defaults. */
void opts_init(Opts *o);
void opts_free(Opts *o);

typedef enum { OPTS_OK, OPTS_UNKNOWN, OPTS_NO_ARGUMENT, OPTS_BAD_ARGUMENT } OptsResult;

/* Parse argv[from…] up to the first word that is not an option, or behind `--`.  `*next` is where
 * that stands; on an error it is the word at fault.  A lone `-` is not an option. */
MUST_USE OptsResult opts_parse(Opts *o, int argc, char *const *argv, int from, int *next);

/* A readable sentence for an error of opts_parse at argv[at], written into `to`. */
void opts_explain(OptsResult result, int argc, char *const *argv, int at, char *to,
                  size_t size);

/* The option rows of --help: writes them to `to` (a FILE *, as void * to keep stdio out of
 * here). */
void opts_print_help(void *to);
