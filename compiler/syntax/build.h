/* Nodes out of grammar rules: what the actions of parser.y call.  Private to the parser.
 *
 * Lists.  While the grammar collects a list, its elements stand on one stack, `items`, and the
 * symbol's value is only their number; when the construct is complete the last n are copied out.
 * A construct with several lists takes them in the reverse of their order in the text. */
#pragma once

#include "compiler/syntax/lexer.h"
#include "vm/base/vec.h"

typedef struct {
    Compilation *c;
    Arena *arena;
    void *grammar;    /* lemon's machine */
    VEC(Ast *) items; /* see above */
    Ast *form;        /* what the last run made */
    bool failed;      /* an error was reported in this form */
    bool too_deep;    /* … and it was this one */
} Parser;

/* Run the tokens of one form through the grammar; the last is TOKEN_DOT.  NULL after an error,
 * which has been reported. */
Ast *parser_run(Parser *p, const Token *tokens, size_t count);

void parser_init(Parser *p, Compilation *c);
void parser_free(Parser *p);

/* Report a grammar error at a token. */
void build_syntax_error(Parser *p, const Token *token);

/* Push an element; the length that the list has then. */
uint32_t build_push(Parser *p, uint32_t count, Ast *item);
AstList build_take(Parser *p, uint32_t count);

/* A node whose slots are still empty, and what every node goes through when they are filled:
 * nesting that is too deep is reported here. */
Ast *build_node(Parser *p, AstKind kind, SrcPos pos);
Ast *build_done(Parser *p, Ast *node);
/* Report an error without arguments; the form is not used.  Returns NULL. */
Ast *build_error(Parser *p, DiagCode code, SrcPos pos);

/* Literals and names. */
Ast *build_leaf(Parser *p, const Token *token);
Ast *build_strings(Parser *p, uint32_t count);
Ast *build_sigil_binary(Parser *p, const Token *token);
Ast *build_paren(Ast *node);

/* Operators. */
Ast *build_unop(Parser *p, const Token *op, Ast *arg);
Ast *build_catch(Parser *p, const Token *token, Ast *arg);
Ast *build_binop(Parser *p, const Token *token, Ast *left, Ast *right);

/* Data. */
Ast *build_nil(Parser *p, const Token *token);
Ast *build_list(Parser *p, const Token *token, uint32_t count, Ast *tail);
Ast *build_tuple(Parser *p, const Token *token, uint32_t count);
Ast *build_map(Parser *p, const Token *token, Ast *base, uint32_t count);
Ast *build_map_field(Parser *p, const Token *op, Ast *key, Ast *value);
Ast *build_record(Parser *p, const Token *hash, Ast *base, const Token *name, uint32_t count);
Ast *build_record_field(Parser *p, const Token *name, Ast *value);
Ast *build_record_index(Parser *p, const Token *hash, Ast *base, const Token *name,
                        const Token *field);
Ast *build_bin(Parser *p, const Token *token, uint32_t count);
Ast *build_segment(Parser *p, Ast *value, Ast *size, AstSegSpec spec);
/* Add one word behind the `/` of a segment; `unit` or NULL. */
AstSegSpec build_segment_type(Parser *p, AstSegSpec spec, const Token *word, const Token *unit);

/* Calls, funs, clauses. */
Ast *build_call(Parser *p, Ast *callee, uint32_t count);
Ast *build_remote(Parser *p, const Token *colon, Ast *module, Ast *function);
Ast *build_fun_local(Parser *p, const Token *token, const Token *name, const Token *arity);
Ast *build_fun_remote(Parser *p, const Token *token, Ast *module, Ast *function, Ast *arity);
Ast *build_fun(Parser *p, const Token *token, uint32_t count);
Ast *build_fun_clause(Parser *p, const Token *token, const Token *name, uint32_t args,
                      uint32_t guard, uint32_t body);
Ast *build_clause(Parser *p, Ast *pattern, uint32_t guard, uint32_t body);
Ast *build_if_clause(Parser *p, uint32_t guard, uint32_t body);
Ast *build_try_clause(Parser *p, const Token *class, Ast *pattern, const Token *stack,
                      uint32_t guard, uint32_t body);
Ast *build_guard(Parser *p, uint32_t count);

/* Control and comprehensions. */
Ast *build_block(Parser *p, const Token *token, uint32_t count);
Ast *build_if(Parser *p, const Token *token, uint32_t count);
Ast *build_case(Parser *p, const Token *token, Ast *subject, uint32_t count);
Ast *build_receive(Parser *p, const Token *token, uint32_t clauses, Ast *timeout,
                   uint32_t after);
Ast *build_try(Parser *p, const Token *token, uint32_t body, uint32_t of, uint32_t handlers,
               uint32_t after);
Ast *build_maybe(Parser *p, const Token *token, uint32_t body, uint32_t clauses);
Ast *build_maybe_match(Parser *p, const Token *token, Ast *pattern, Ast *value);
Ast *build_comprehension(Parser *p, AstKind kind, const Token *token, Ast *item,
                         uint32_t count);
Ast *build_generator(Parser *p, const Token *arrow, Ast *pattern, Ast *source);
Ast *build_zip(Parser *p, const Token *token, uint32_t count);

/* Types. */
Ast *build_type_call(Parser *p, const Token *name, uint32_t count);
Ast *build_type_remote(Parser *p, const Token *module, const Token *name, uint32_t count);
Ast *build_type_list(Parser *p, const Token *token, Ast *item, bool nonempty);
Ast *build_type_items(Parser *p, AstKind kind, SrcPos pos, uint32_t count);
Ast *build_type_union(Parser *p, uint32_t count);
Ast *build_type_range(Parser *p, Ast *low, Ast *high);
Ast *build_type_map_field(Parser *p, const Token *op, Ast *key, Ast *value);
Ast *build_type_record(Parser *p, const Token *hash, const Token *name, uint32_t count);
Ast *build_type_field(Parser *p, const Token *name, Ast *type);
Ast *build_type_ann(Parser *p, const Token *name, Ast *type);
/* The same behind `when`, where the variable must have a name. */
Ast *build_type_bound(Parser *p, const Token *name, Ast *type);
Ast *build_type_bin(Parser *p, const Token *token, const Token *first, Ast *base,
                    const Token *second, Ast *unit);
Ast *build_type_fun(Parser *p, const Token *token, AstOp op, uint32_t args, Ast *result);
Ast *build_type_bounded(Parser *p, Ast *fun, uint32_t count);
Ast *build_type_is_subtype(Parser *p, const Token *name, uint32_t count);

/* Forms. */
Ast *build_function(Parser *p, uint32_t count);
Ast *build_function_clause(Parser *p, Ast *head, uint32_t guard, uint32_t body);
Ast *build_exprs(Parser *p, uint32_t count);
Ast *build_attribute(Parser *p, const Token *dash, const Token *name, uint32_t count);
Ast *build_type_decl(Parser *p, const Token *keyword, Ast *head, Ast *type);
Ast *build_record_decl(Parser *p, const Token *keyword, Ast *name, uint32_t count);
Ast *build_field_decl(Parser *p, Ast *field, Ast *type);
Ast *build_spec(Parser *p, const Token *keyword, const Token *module, const Token *name,
                uint32_t types);
