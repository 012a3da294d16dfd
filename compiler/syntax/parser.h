/* Text to syntax tree: lexer, preprocessor and grammar behind two doors.
 *
 * Owns: nothing beyond the compilation's arena.  Errors go to the compilation's Diags; parsing
 * goes on at the next form, so that all of a file's errors are reported.  One thread. */
#pragma once

#include "compiler/source/compilation.h"
#include "compiler/syntax/ast.h"

/* Parse a file.  NULL only when it cannot be read (a message says so); after syntax errors the
 * tree holds the forms that were right. */
AstFile *parse_file(Compilation *c, const char *path);

/* Parse a text; `path` is what messages call it ("-e", "standard input").  A text without
 * -module is a script.  A missing last `.` is supplied. */
AstFile *parse_text(Compilation *c, const char *path, const char *text, size_t size);

typedef enum {
    PARSE_COMPLETE,   /* ends with a form's `.`, or an error that more text cannot mend */
    PARSE_INCOMPLETE, /* a token, bracket or form is still open */
    PARSE_EMPTY       /* only white space and comments */
} ParseState;

/* Does this text hold whole forms?  For the shell's "more input?" question: looks at tokens and
 * brackets, reports nothing. */
ParseState parse_state(const char *text, size_t size);
