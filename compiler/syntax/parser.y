/* The grammar of Erlang as of OTP 28, without conflicts; each action calls one build_ function.
 *
 * The driver (parser.c) feeds one form at a time and has turned the `-` of an attribute into
 * ATTR, ATTR_TYPE, ATTR_SPEC or ATTR_RECORD, whose value is the attribute's name; so a form that
 * begins with MINUS is an expression.  A clause head is read as a call and checked when `->` or
 * `when` follows: functions and, in scripts, expressions begin alike. */
%name Grammar
%token_prefix GRAMMAR_
%token_type {Token}
%extra_context {Parser *p}
%stack_size 0
%start_symbol input

%include {
#include "compiler/syntax/balance.h"
#include "compiler/syntax/build.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
}

%token DOT ATOM VAR INT BIGINT FLOAT CHAR STRING SIGIL_STRING SIGIL_BINARY.
%token LPAREN RPAREN LBRACKET RBRACKET LBRACE RBRACE LBIN RBIN COMMA SEMI COLON COLON_COLON.
%token POINT DOT_DOT DOT_DOT_DOT HASH QUESTION BAR BAR_BAR AND_AND ARROW GEN BGEN GEN_STRICT BGEN_STRICT.
%token ASSOC EXACT MAYBE_MATCH MATCH SEND PLUS MINUS STAR SLASH APPEND SUBTRACT.
%token EQ NE LE LT GE GT EXACT_EQ EXACT_NE.
%token AFTER AND ANDALSO BAND BEGIN BNOT BOR BSL BSR BXOR CASE CATCH DIV ELSE END FUN IF MAYBE.
%token NOT OF OR ORELSE RECEIVE REM TRY WHEN XOR ATTR ATTR_TYPE ATTR_SPEC ATTR_RECORD.

%nonassoc CATCH.
%right MATCH SEND.
%right ORELSE.
%right ANDALSO.
%nonassoc EQ NE LE LT GE GT EXACT_EQ EXACT_NE.
%nonassoc DOT_DOT.
%right APPEND SUBTRACT.
%left PLUS MINUS BOR BXOR BSL BSR OR XOR.
%left SLASH STAR DIV REM BAND AND.
%nonassoc PREFIX.

%syntax_error { build_syntax_error(p, &TOKEN); }

%type form {Ast *}
%type function_clause {Ast *}
%type expr {Ast *}
%type expr_max {Ast *}
%type expr_remote {Ast *}
%type pat_expr {Ast *}
%type pat_expr_max {Ast *}
%type atomic {Ast *}
%type list {Ast *}
%type tail {Ast *}
%type binary {Ast *}
%type bin_element {Ast *}
%type bit_expr {Ast *}
%type bit_size {Ast *}
%type comprehension {Ast *}
%type qualifier {Ast *}
%type generator {Ast *}
%type tuple {Ast *}
%type map_expr {Ast *}
%type map_field {Ast *}
%type record_expr {Ast *}
%type record_field {Ast *}
%type call {Ast *}
%type fun_expr {Ast *}
%type fun_clause {Ast *}
%type fun_name {Ast *}
%type fun_arity {Ast *}
%type if_clause {Ast *}
%type cr_clause {Ast *}
%type try_clause {Ast *}
%type maybe_item {Ast *}
%type top_type {Ast *}
%type type {Ast *}
%type fun_type {Ast *}
%type type_sig {Ast *}
%type type_bound {Ast *}
%type map_pair_type {Ast *}
%type field_type {Ast *}
%type record_item {Ast *}

%type function {uint32_t}
%type exprs {uint32_t}
%type args {uint32_t}
%type pat_args {uint32_t}
%type pat_exprs {uint32_t}
%type clause_guard {uint32_t}
%type clause_body {uint32_t}
%type guard {uint32_t}
%type strings {uint32_t}
%type list_items {uint32_t}
%type bin_elements {uint32_t}
%type qualifiers {uint32_t}
%type zip {uint32_t}
%type map_tuple {uint32_t}
%type map_fields {uint32_t}
%type record_tuple {uint32_t}
%type record_fields {uint32_t}
%type fun_clauses {uint32_t}
%type if_clauses {uint32_t}
%type cr_clauses {uint32_t}
%type try_clauses {uint32_t}
%type maybe_items {uint32_t}
%type top_types {uint32_t}
%type type_args {uint32_t}
%type union {uint32_t}
%type type_sigs {uint32_t}
%type type_bounds {uint32_t}
%type map_pair_types {uint32_t}
%type field_types {uint32_t}
%type record_items {uint32_t}
%type attr_values {uint32_t}
%type bit_types {AstSegSpec}
%type bit_type_list {AstSegSpec}

%type mult_op {Token}
%type add_op {Token}
%type list_op {Token}
%type comp_op {Token}
%type try_stack {Token}
%type record_name {Ast *}

%type try_catch {TryEnd}
%include {
/* How many handlers and expressions behind `after` close a try. */
typedef struct {
    uint32_t handlers;
    uint32_t after;
} TryEnd;
}

input ::= form(F). { p->form = F; }

/* Forms. */
form(R) ::= function(N) DOT. { R = build_function(p, N); }
form(R) ::= exprs(N) DOT. { R = build_exprs(p, N); }
form(R) ::= ATTR(D) ATOM(A) attr_values(N) DOT. { R = build_attribute(p, &D, &A, N); }
form(R) ::= ATTR_TYPE(K) ATOM expr(H) COLON_COLON top_type(T) DOT. { R = build_type_decl(p, &K, H, T); }
form(R) ::= ATTR_TYPE(K) ATOM LPAREN expr(H) COLON_COLON top_type(T) RPAREN DOT. { R = build_type_decl(p, &K, H, T); }
form(R) ::= ATTR_RECORD(K) ATOM record_name(E) COMMA LBRACE record_items(N) RBRACE DOT. { R = build_record_decl(p, &K, E, N); }
form(R) ::= ATTR_RECORD(K) ATOM LPAREN record_name(E) COMMA LBRACE record_items(N) RBRACE RPAREN DOT. { R = build_record_decl(p, &K, E, N); }
form(R) ::= ATTR_SPEC(K) ATOM ATOM(F) type_sigs(N) DOT. { R = build_spec(p, &K, NULL, &F, N); }
form(R) ::= ATTR_SPEC(K) ATOM LPAREN ATOM(F) type_sigs(N) RPAREN DOT. { R = build_spec(p, &K, NULL, &F, N); }
form(R) ::= ATTR_SPEC(K) ATOM ATOM(M) COLON ATOM(F) type_sigs(N) DOT. { R = build_spec(p, &K, &M, &F, N); }
form(R) ::= ATTR_SPEC(K) ATOM LPAREN ATOM(M) COLON ATOM(F) type_sigs(N) RPAREN DOT. { R = build_spec(p, &K, &M, &F, N); }

attr_values(A) ::= exprs(A).
attr_values(R) ::= LPAREN attr_first COMMA exprs(N) RPAREN. { R = N + 1; }
attr_first ::= expr(A). { build_push(p, 0, A); }

record_name(A) ::= atomic(A).
record_items(R) ::= . { R = 0; }
record_items(R) ::= record_item(A). { R = build_push(p, 0, A); }
record_items(R) ::= record_items(N) COMMA record_item(A). { R = build_push(p, N, A); }
record_item(R) ::= expr(E). { R = build_field_decl(p, E, NULL); }
record_item(R) ::= expr(E) COLON_COLON top_type(T). { R = build_field_decl(p, E, T); }

function(R) ::= function_clause(C). { R = build_push(p, 0, C); }
function(R) ::= function(N) SEMI function_clause(C). { R = build_push(p, N, C); }
function_clause(R) ::= expr(H) clause_guard(G) clause_body(B). { R = build_function_clause(p, H, G, B); }

clause_guard(R) ::= . { R = 0; }
clause_guard(R) ::= WHEN guard(N). { R = N; }
clause_body(R) ::= ARROW exprs(N). { R = N; }
guard(R) ::= exprs(N). { R = build_push(p, 0, build_guard(p, N)); }
guard(R) ::= guard(M) SEMI exprs(N). { R = build_push(p, M, build_guard(p, N)); }

exprs(R) ::= expr(A). { R = build_push(p, 0, A); }
exprs(R) ::= exprs(N) COMMA expr(A). { R = build_push(p, N, A); }
args(R) ::= LPAREN RPAREN. { R = 0; }
args(R) ::= LPAREN exprs(N) RPAREN. { R = N; }

/* Expressions. */
expr(R) ::= CATCH(T) expr(A). { R = build_catch(p, &T, A); }
expr(R) ::= expr(A) MATCH(T) expr(B). { R = build_binop(p, &T, A, B); }
expr(R) ::= expr(A) SEND(T) expr(B). { R = build_binop(p, &T, A, B); }
expr(R) ::= expr(A) ORELSE(T) expr(B). { R = build_binop(p, &T, A, B); }
expr(R) ::= expr(A) ANDALSO(T) expr(B). { R = build_binop(p, &T, A, B); }
expr(R) ::= expr(A) comp_op(T) expr(B). [EQ] { R = build_binop(p, &T, A, B); }
expr(R) ::= expr(A) list_op(T) expr(B). [APPEND] { R = build_binop(p, &T, A, B); }
expr(R) ::= expr(A) add_op(T) expr(B). [PLUS] { R = build_binop(p, &T, A, B); }
expr(R) ::= expr(A) mult_op(T) expr(B). [STAR] { R = build_binop(p, &T, A, B); }
expr(R) ::= PLUS(T) expr(A). [PREFIX] { R = build_unop(p, &T, A); }
expr(R) ::= MINUS(T) expr(A). [PREFIX] { R = build_unop(p, &T, A); }
expr(R) ::= BNOT(T) expr(A). [PREFIX] { R = build_unop(p, &T, A); }
expr(R) ::= NOT(T) expr(A). [PREFIX] { R = build_unop(p, &T, A); }
expr(A) ::= map_expr(A).
expr(A) ::= call(A).
expr(A) ::= record_expr(A).
expr(A) ::= expr_remote(A).
expr_remote(R) ::= expr_max(A) COLON(T) expr_max(B). { R = build_remote(p, &T, A, B); }
expr_remote(A) ::= expr_max(A).

expr_max(R) ::= VAR(T). { R = build_leaf(p, &T); }
expr_max(A) ::= atomic(A).
expr_max(A) ::= list(A).
expr_max(A) ::= binary(A).
expr_max(A) ::= comprehension(A).
expr_max(A) ::= tuple(A).
expr_max(R) ::= LPAREN expr(A) RPAREN. { R = build_paren(A); }
expr_max(R) ::= BEGIN(T) exprs(N) END. { R = build_block(p, &T, N); }
expr_max(R) ::= IF(T) if_clauses(N) END. { R = build_if(p, &T, N); }
expr_max(R) ::= CASE(T) expr(E) OF cr_clauses(N) END. { R = build_case(p, &T, E, N); }
expr_max(R) ::= RECEIVE(T) cr_clauses(N) END. { R = build_receive(p, &T, N, NULL, 0); }
expr_max(R) ::= RECEIVE(T) AFTER expr(E) clause_body(B) END. { R = build_receive(p, &T, 0, E, B); }
expr_max(R) ::= RECEIVE(T) cr_clauses(N) AFTER expr(E) clause_body(B) END. { R = build_receive(p, &T, N, E, B); }
expr_max(A) ::= fun_expr(A).
expr_max(R) ::= TRY(T) exprs(N) OF cr_clauses(M) try_catch(E). { R = build_try(p, &T, N, M, E.handlers, E.after); }
expr_max(R) ::= TRY(T) exprs(N) try_catch(E). { R = build_try(p, &T, N, 0, E.handlers, E.after); }
expr_max(R) ::= MAYBE(T) maybe_items(N) END. { R = build_maybe(p, &T, N, 0); }
expr_max(R) ::= MAYBE(T) maybe_items(N) ELSE cr_clauses(M) END. { R = build_maybe(p, &T, N, M); }

atomic(R) ::= ATOM(T). { R = build_leaf(p, &T); }
atomic(R) ::= INT(T). { R = build_leaf(p, &T); }
atomic(R) ::= BIGINT(T). { R = build_leaf(p, &T); }
atomic(R) ::= FLOAT(T). { R = build_leaf(p, &T); }
atomic(R) ::= CHAR(T). { R = build_leaf(p, &T); }
atomic(R) ::= SIGIL_STRING(T). { R = build_leaf(p, &T); }
atomic(R) ::= SIGIL_BINARY(T). { R = build_sigil_binary(p, &T); }
atomic(R) ::= strings(N). { R = build_strings(p, N); }
strings(R) ::= STRING(T). { R = build_push(p, 0, build_leaf(p, &T)); }
strings(R) ::= strings(N) STRING(T). { R = build_push(p, N, build_leaf(p, &T)); }

mult_op(A) ::= SLASH(A).
mult_op(A) ::= STAR(A).
mult_op(A) ::= DIV(A).
mult_op(A) ::= REM(A).
mult_op(A) ::= BAND(A).
mult_op(A) ::= AND(A).
add_op(A) ::= PLUS(A).
add_op(A) ::= MINUS(A).
add_op(A) ::= BOR(A).
add_op(A) ::= BXOR(A).
add_op(A) ::= BSL(A).
add_op(A) ::= BSR(A).
add_op(A) ::= OR(A).
add_op(A) ::= XOR(A).
list_op(A) ::= APPEND(A).
list_op(A) ::= SUBTRACT(A).
comp_op(A) ::= EQ(A).
comp_op(A) ::= NE(A).
comp_op(A) ::= LE(A).
comp_op(A) ::= LT(A).
comp_op(A) ::= GE(A).
comp_op(A) ::= GT(A).
comp_op(A) ::= EXACT_EQ(A).
comp_op(A) ::= EXACT_NE(A).

/* Lists, tuples, binaries, comprehensions. */
list(R) ::= LBRACKET(T) RBRACKET. { R = build_nil(p, &T); }
list(R) ::= LBRACKET(T) list_items(N) tail(E). { R = build_list(p, &T, N, E); }
list_items(R) ::= expr(A). { R = build_push(p, 0, A); }
list_items(R) ::= list_items(N) COMMA expr(A). { R = build_push(p, N, A); }
tail(R) ::= RBRACKET. { R = NULL; }
tail(R) ::= BAR expr(A) RBRACKET. { R = A; }
tuple(R) ::= LBRACE(T) RBRACE. { R = build_tuple(p, &T, 0); }
tuple(R) ::= LBRACE(T) exprs(N) RBRACE. { R = build_tuple(p, &T, N); }

binary(R) ::= LBIN(T) RBIN. { R = build_bin(p, &T, 0); }
binary(R) ::= LBIN(T) bin_elements(N) RBIN. { R = build_bin(p, &T, N); }
bin_elements(R) ::= bin_element(A). { R = build_push(p, 0, A); }
bin_elements(R) ::= bin_elements(N) COMMA bin_element(A). { R = build_push(p, N, A); }
bin_element(R) ::= bit_expr(A) bit_size(S) bit_types(Y). { R = build_segment(p, A, S, Y); }
bit_expr(R) ::= PLUS(T) expr_max(A). { R = build_unop(p, &T, A); }
bit_expr(R) ::= MINUS(T) expr_max(A). { R = build_unop(p, &T, A); }
bit_expr(R) ::= BNOT(T) expr_max(A). { R = build_unop(p, &T, A); }
bit_expr(R) ::= NOT(T) expr_max(A). { R = build_unop(p, &T, A); }
bit_expr(A) ::= expr_max(A).
bit_size(R) ::= . { R = NULL; }
bit_size(R) ::= COLON expr_max(A). { R = A; }
bit_types(R) ::= . { R = (AstSegSpec){0}; }
bit_types(R) ::= SLASH bit_type_list(Y). { R = Y; }
bit_type_list(R) ::= ATOM(A). { R = build_segment_type(p, (AstSegSpec){0}, &A, NULL); }
bit_type_list(R) ::= ATOM(A) COLON INT(U). { R = build_segment_type(p, (AstSegSpec){0}, &A, &U); }
bit_type_list(R) ::= bit_type_list(Y) MINUS ATOM(A). { R = build_segment_type(p, Y, &A, NULL); }
bit_type_list(R) ::= bit_type_list(Y) MINUS ATOM(A) COLON INT(U). { R = build_segment_type(p, Y, &A, &U); }

comprehension(R) ::= LBRACKET(T) expr(E) BAR_BAR qualifiers(N) RBRACKET. { R = build_comprehension(p, AST_LC, &T, E, N); }
comprehension(R) ::= LBIN(T) expr_max(E) BAR_BAR qualifiers(N) RBIN. { R = build_comprehension(p, AST_BC, &T, E, N); }
comprehension(R) ::= HASH(T) LBRACE map_field(E) BAR_BAR qualifiers(N) RBRACE. { R = build_comprehension(p, AST_MC, &T, E, N); }
qualifiers(R) ::= qualifier(A). { R = build_push(p, 0, A); }
qualifiers(R) ::= qualifiers(N) COMMA qualifier(A). { R = build_push(p, N, A); }
qualifier(A) ::= expr(A).
qualifier(A) ::= generator(A).
qualifier(R) ::= zip(N). { R = build_zip(p, NULL, N); }
zip(R) ::= generator(A) AND_AND generator(B). { R = build_push(p, build_push(p, 0, A), B); }
zip(R) ::= zip(N) AND_AND generator(A). { R = build_push(p, N, A); }
generator(R) ::= expr(A) GEN(T) expr(B). { R = build_generator(p, &T, A, B); }
generator(R) ::= expr(A) GEN_STRICT(T) expr(B). { R = build_generator(p, &T, A, B); }
generator(R) ::= expr(A) BGEN(T) expr(B). { R = build_generator(p, &T, A, B); }
generator(R) ::= expr(A) BGEN_STRICT(T) expr(B). { R = build_generator(p, &T, A, B); }
generator(R) ::= map_field(A) GEN(T) expr(B). { R = build_generator(p, &T, A, B); }
generator(R) ::= map_field(A) GEN_STRICT(T) expr(B). { R = build_generator(p, &T, A, B); }

/* Maps and records. */
map_expr(R) ::= HASH(T) map_tuple(N). { R = build_map(p, &T, NULL, N); }
map_expr(R) ::= expr_max(B) HASH(T) map_tuple(N). { R = build_map(p, &T, B, N); }
map_expr(R) ::= map_expr(B) HASH(T) map_tuple(N). { R = build_map(p, &T, B, N); }
map_tuple(R) ::= LBRACE RBRACE. { R = 0; }
map_tuple(R) ::= LBRACE map_fields(N) RBRACE. { R = N; }
map_fields(R) ::= map_field(A). { R = build_push(p, 0, A); }
map_fields(R) ::= map_fields(N) COMMA map_field(A). { R = build_push(p, N, A); }
map_field(R) ::= expr(K) ASSOC(T) expr(V). { R = build_map_field(p, &T, K, V); }
map_field(R) ::= expr(K) EXACT(T) expr(V). { R = build_map_field(p, &T, K, V); }

record_expr(R) ::= HASH(T) ATOM(N) POINT ATOM(F). { R = build_record_index(p, &T, NULL, &N, &F); }
record_expr(R) ::= HASH(T) ATOM(N) record_tuple(C). { R = build_record(p, &T, NULL, &N, C); }
record_expr(R) ::= expr_max(B) HASH(T) ATOM(N) POINT ATOM(F). { R = build_record_index(p, &T, B, &N, &F); }
record_expr(R) ::= expr_max(B) HASH(T) ATOM(N) record_tuple(C). { R = build_record(p, &T, B, &N, C); }
record_expr(R) ::= record_expr(B) HASH(T) ATOM(N) POINT ATOM(F). { R = build_record_index(p, &T, B, &N, &F); }
record_expr(R) ::= record_expr(B) HASH(T) ATOM(N) record_tuple(C). { R = build_record(p, &T, B, &N, C); }
record_tuple(R) ::= LBRACE RBRACE. { R = 0; }
record_tuple(R) ::= LBRACE record_fields(N) RBRACE. { R = N; }
record_fields(R) ::= record_field(A). { R = build_push(p, 0, A); }
record_fields(R) ::= record_fields(N) COMMA record_field(A). { R = build_push(p, N, A); }
record_field(R) ::= VAR(N) MATCH expr(E). { R = build_record_field(p, &N, E); }
record_field(R) ::= ATOM(N) MATCH expr(E). { R = build_record_field(p, &N, E); }

/* Calls, funs, control. */
call(R) ::= expr_remote(F) args(N). { R = build_call(p, F, N); }

fun_expr(R) ::= FUN(T) ATOM(F) SLASH INT(A). { R = build_fun_local(p, &T, &F, &A); }
fun_expr(R) ::= FUN(T) fun_name(M) COLON fun_name(F) SLASH fun_arity(A). { R = build_fun_remote(p, &T, M, F, A); }
fun_expr(R) ::= FUN(T) fun_clauses(N) END. { R = build_fun(p, &T, N); }
fun_name(R) ::= ATOM(T). { R = build_leaf(p, &T); }
fun_name(R) ::= VAR(T). { R = build_leaf(p, &T); }
fun_arity(R) ::= INT(T). { R = build_leaf(p, &T); }
fun_arity(R) ::= VAR(T). { R = build_leaf(p, &T); }
fun_clauses(R) ::= fun_clause(A). { R = build_push(p, 0, A); }
fun_clauses(R) ::= fun_clauses(N) SEMI fun_clause(A). { R = build_push(p, N, A); }
fun_clause(R) ::= LPAREN(T) pat_args(N) clause_guard(G) clause_body(B). { R = build_fun_clause(p, &T, NULL, N, G, B); }
fun_clause(R) ::= VAR(V) LPAREN pat_args(N) clause_guard(G) clause_body(B). { R = build_fun_clause(p, &V, &V, N, G, B); }
pat_args(R) ::= RPAREN. { R = 0; }
pat_args(R) ::= pat_exprs(N) RPAREN. { R = N; }
pat_exprs(R) ::= pat_expr(A). { R = build_push(p, 0, A); }
pat_exprs(R) ::= pat_exprs(N) COMMA pat_expr(A). { R = build_push(p, N, A); }

pat_expr(R) ::= pat_expr(A) MATCH(T) pat_expr(B). { R = build_binop(p, &T, A, B); }
pat_expr(R) ::= pat_expr(A) comp_op(T) pat_expr(B). [EQ] { R = build_binop(p, &T, A, B); }
pat_expr(R) ::= pat_expr(A) list_op(T) pat_expr(B). [APPEND] { R = build_binop(p, &T, A, B); }
pat_expr(R) ::= pat_expr(A) add_op(T) pat_expr(B). [PLUS] { R = build_binop(p, &T, A, B); }
pat_expr(R) ::= pat_expr(A) mult_op(T) pat_expr(B). [STAR] { R = build_binop(p, &T, A, B); }
pat_expr(R) ::= PLUS(T) pat_expr(A). [PREFIX] { R = build_unop(p, &T, A); }
pat_expr(R) ::= MINUS(T) pat_expr(A). [PREFIX] { R = build_unop(p, &T, A); }
pat_expr(R) ::= BNOT(T) pat_expr(A). [PREFIX] { R = build_unop(p, &T, A); }
pat_expr(R) ::= NOT(T) pat_expr(A). [PREFIX] { R = build_unop(p, &T, A); }
pat_expr(R) ::= HASH(T) map_tuple(N). { R = build_map(p, &T, NULL, N); }
pat_expr(R) ::= HASH(T) ATOM(N) POINT ATOM(F). { R = build_record_index(p, &T, NULL, &N, &F); }
pat_expr(R) ::= HASH(T) ATOM(N) record_tuple(C). { R = build_record(p, &T, NULL, &N, C); }
pat_expr(A) ::= pat_expr_max(A).
pat_expr_max(R) ::= VAR(T). { R = build_leaf(p, &T); }
pat_expr_max(A) ::= atomic(A).
pat_expr_max(A) ::= list(A).
pat_expr_max(A) ::= binary(A).
pat_expr_max(A) ::= tuple(A).
pat_expr_max(R) ::= LPAREN pat_expr(A) RPAREN. { R = build_paren(A); }

if_clauses(R) ::= if_clause(A). { R = build_push(p, 0, A); }
if_clauses(R) ::= if_clauses(N) SEMI if_clause(A). { R = build_push(p, N, A); }
if_clause(R) ::= guard(G) clause_body(B). { R = build_if_clause(p, G, B); }
cr_clauses(R) ::= cr_clause(A). { R = build_push(p, 0, A); }
cr_clauses(R) ::= cr_clauses(N) SEMI cr_clause(A). { R = build_push(p, N, A); }
cr_clause(R) ::= expr(P) clause_guard(G) clause_body(B). { R = build_clause(p, P, G, B); }

try_catch(R) ::= CATCH try_clauses(N) END. { R.handlers = N; R.after = 0; }
try_catch(R) ::= CATCH try_clauses(N) AFTER exprs(M) END. { R.handlers = N; R.after = M; }
try_catch(R) ::= AFTER exprs(M) END. { R.handlers = 0; R.after = M; }
try_clauses(R) ::= try_clause(A). { R = build_push(p, 0, A); }
try_clauses(R) ::= try_clauses(N) SEMI try_clause(A). { R = build_push(p, N, A); }
try_clause(R) ::= pat_expr(P) clause_guard(G) clause_body(B). { R = build_try_clause(p, NULL, P, NULL, G, B); }
try_clause(R) ::= ATOM(C) COLON pat_expr(P) try_stack(S) clause_guard(G) clause_body(B). { R = build_try_clause(p, &C, P, &S, G, B); }
try_clause(R) ::= VAR(C) COLON pat_expr(P) try_stack(S) clause_guard(G) clause_body(B). { R = build_try_clause(p, &C, P, &S, G, B); }
try_stack(R) ::= . { R = (Token){0}; }
try_stack(R) ::= COLON VAR(S). { R = S; }

maybe_items(R) ::= maybe_item(A). { R = build_push(p, 0, A); }
maybe_items(R) ::= maybe_items(N) COMMA maybe_item(A). { R = build_push(p, N, A); }
maybe_item(A) ::= expr(A).
maybe_item(R) ::= expr(A) MAYBE_MATCH(T) expr(B). { R = build_maybe_match(p, &T, A, B); }

/* Types. */
top_types(R) ::= top_type(A). { R = build_push(p, 0, A); }
top_types(R) ::= top_types(N) COMMA top_type(A). { R = build_push(p, N, A); }
top_type(R) ::= union(N). { R = build_type_union(p, N); }
top_type(R) ::= VAR(V) COLON_COLON top_type(T). { R = build_type_ann(p, &V, T); }
top_type(R) ::= union(N) BAR VAR(V) COLON_COLON top_type(T). { R = build_type_union(p, build_push(p, N, build_type_ann(p, &V, T))); }
union(R) ::= type(A). { R = build_push(p, 0, A); }
union(R) ::= union(N) BAR type(A). { R = build_push(p, N, A); }

type(R) ::= type(A) DOT_DOT type(B). { R = build_type_range(p, A, B); }
type(R) ::= type(A) add_op(T) type(B). [PLUS] { R = build_binop(p, &T, A, B); }
type(R) ::= type(A) mult_op(T) type(B). [STAR] { R = build_binop(p, &T, A, B); }
type(R) ::= PLUS(T) type(A). [PREFIX] { R = build_unop(p, &T, A); }
type(R) ::= MINUS(T) type(A). [PREFIX] { R = build_unop(p, &T, A); }
type(R) ::= BNOT(T) type(A). [PREFIX] { R = build_unop(p, &T, A); }
type(R) ::= NOT(T) type(A). [PREFIX] { R = build_unop(p, &T, A); }
type(R) ::= LPAREN top_type(A) RPAREN. { R = build_paren(A); }
type(R) ::= VAR(T). { R = build_leaf(p, &T); }
type(R) ::= ATOM(T). { R = build_leaf(p, &T); }
type(R) ::= INT(T). { R = build_leaf(p, &T); }
type(R) ::= BIGINT(T). { R = build_leaf(p, &T); }
type(R) ::= CHAR(T). { R = build_leaf(p, &T); }
type(R) ::= ATOM(F) type_args(N). { R = build_type_call(p, &F, N); }
type(R) ::= ATOM(M) COLON ATOM(F) type_args(N). { R = build_type_remote(p, &M, &F, N); }
type(R) ::= LBRACKET(T) RBRACKET. { R = build_type_items(p, AST_T_NIL, T.pos, 0); }
type(R) ::= LBRACKET(T) top_type(A) RBRACKET. { R = build_type_list(p, &T, A, false); }
type(R) ::= LBRACKET(T) top_type(A) COMMA DOT_DOT_DOT RBRACKET. { R = build_type_list(p, &T, A, true); }
type(R) ::= HASH(T) LBRACE RBRACE. { R = build_type_items(p, AST_T_MAP, T.pos, 0); }
type(R) ::= HASH(T) LBRACE map_pair_types(N) RBRACE. { R = build_type_items(p, AST_T_MAP, T.pos, N); }
type(R) ::= LBRACE(T) RBRACE. { R = build_type_items(p, AST_T_TUPLE, T.pos, 0); }
type(R) ::= LBRACE(T) top_types(N) RBRACE. { R = build_type_items(p, AST_T_TUPLE, T.pos, N); }
type(R) ::= HASH(T) ATOM(F) LBRACE RBRACE. { R = build_type_record(p, &T, &F, 0); }
type(R) ::= HASH(T) ATOM(F) LBRACE field_types(N) RBRACE. { R = build_type_record(p, &T, &F, N); }
type(R) ::= LBIN(T) RBIN. { R = build_type_bin(p, &T, NULL, NULL, NULL, NULL); }
type(R) ::= LBIN(T) VAR(V) COLON type(A) RBIN. { R = build_type_bin(p, &T, &V, A, NULL, NULL); }
type(R) ::= LBIN(T) VAR(V) COLON type(A) COMMA VAR(W) COLON type(B) RBIN. { R = build_type_bin(p, &T, &V, A, &W, B); }
type(R) ::= FUN(T) LPAREN RPAREN. { R = build_type_fun(p, &T, OP_ANY_FUN, 0, NULL); }
type(R) ::= FUN LPAREN fun_type(A) RPAREN. { R = A; }
type_args(R) ::= LPAREN RPAREN. { R = 0; }
type_args(R) ::= LPAREN top_types(N) RPAREN. { R = N; }
fun_type(R) ::= LPAREN(T) DOT_DOT_DOT RPAREN ARROW top_type(A). { R = build_type_fun(p, &T, OP_ANY_ARGS, 0, A); }
fun_type(R) ::= LPAREN(T) RPAREN ARROW top_type(A). { R = build_type_fun(p, &T, OP_NONE, 0, A); }
fun_type(R) ::= LPAREN(T) top_types(N) RPAREN ARROW top_type(A). { R = build_type_fun(p, &T, OP_NONE, N, A); }
map_pair_types(R) ::= map_pair_type(A). { R = build_push(p, 0, A); }
map_pair_types(R) ::= map_pair_types(N) COMMA map_pair_type(A). { R = build_push(p, N, A); }
map_pair_type(R) ::= top_type(K) ASSOC(T) top_type(V). { R = build_type_map_field(p, &T, K, V); }
map_pair_type(R) ::= top_type(K) EXACT(T) top_type(V). { R = build_type_map_field(p, &T, K, V); }
field_types(R) ::= field_type(A). { R = build_push(p, 0, A); }
field_types(R) ::= field_types(N) COMMA field_type(A). { R = build_push(p, N, A); }
field_type(R) ::= ATOM(F) COLON_COLON top_type(T). { R = build_type_field(p, &F, T); }

type_sigs(R) ::= type_sig(A). { R = build_push(p, 0, A); }
type_sigs(R) ::= type_sigs(N) SEMI type_sig(A). { R = build_push(p, N, A); }
type_sig(A) ::= fun_type(A).
type_sig(R) ::= fun_type(A) WHEN type_bounds(N). { R = build_type_bounded(p, A, N); }
type_bounds(R) ::= type_bound(A). { R = build_push(p, 0, A); }
type_bounds(R) ::= type_bounds(N) COMMA type_bound(A). { R = build_push(p, N, A); }
type_bound(R) ::= VAR(V) COLON_COLON top_type(T). { R = build_type_bound(p, &V, T); }
type_bound(R) ::= ATOM(F) LPAREN top_types(N) RPAREN. { R = build_type_is_subtype(p, &F, N); }

%code {
/* The parser's numbers are the lexer's. */
enum {
    GRAMMAR_NUMBERS_AGREE = 1 / (GRAMMAR_DOT == TOKEN_DOT && GRAMMAR_RBIN == TOKEN_RBIN && GRAMMAR_BAR_BAR == TOKEN_BAR_BAR
                                 && GRAMMAR_MATCH == TOKEN_MATCH && GRAMMAR_EXACT_NE == TOKEN_EXACT_NE && GRAMMAR_END == TOKEN_END
                                 && GRAMMAR_XOR == TOKEN_XOR && GRAMMAR_ATTR_RECORD == TOKEN_ATTR_RECORD)
};

void parser_init(Parser *p, Compilation *c)
{
    *p = (Parser){.c = c, .arena = &c->arena};
    yyParser *grammar = malloc(sizeof *grammar);
    CHECK(grammar);
    GrammarInit(grammar, p);
    p->grammar = grammar;
}

void parser_free(Parser *p)
{
    GrammarFinalize(p->grammar);
    free(p->grammar);
    VEC_FREE(&p->items);
}

Ast *parser_run(Parser *p, const Token *tokens, size_t count)
{
    p->form = NULL;
    p->failed = p->too_deep = false;
    VEC_CLEAR(&p->items);
    uint32_t reported = p->c->diags.count;
    for (size_t i = 0; i < count && !p->failed; i++) {
        Grammar(p->grammar, tokens[i].kind, tokens[i]);
        bool is_syntax = p->failed && p->c->diags.count == reported + 1
                         && p->c->diags.at[reported].pos == tokens[i].pos
                         && (p->c->diags.at[reported].code == DIAG_SYNTAX || p->c->diags.at[reported].code == DIAG_SYNTAX_END);
        if (is_syntax) balance_hint(p->c, tokens, count, i);
    }
    if (!p->failed) Grammar(p->grammar, 0, tokens[count - 1]);
    if (!p->failed) return p->form;
    GrammarFinalize(p->grammar);
    GrammarInit(p->grammar, p);
    return NULL;
}
}
