%% Calls every function of one module with boundary values and pseudo-random ones and prints a digest for each
%% function; the programs of this folder include it.  What they print comes from erl (`make expect`), so that
%% `make test` replays OTP's answers without OTP.
%%
%%     mote tests/oracle/oracle_lists.mote                 a line for each function
%%     mote tests/oracle/oracle_lists.mote sublist/3       every call of one function
%%     mote tests/oracle/oracle_lists.mote --raw           structures as they are inside, not as lists
%%     mote tests/oracle/oracle_lists.mote --raw DIR       the same of the lists.mob in DIR, and whatever else is there, instead of ours
%%
%% Calls with bad arguments count with --raw only: which clause of which private function refuses first is nobody's
%% interface.  So does raw_rows/0: what OTP's module exports without documenting it.
%%
%% A program defines module/0, raw_rows/0 and rows/0: {Function, Types of the arguments, Shape of the result}.  A type names a
%% pool of values, pool/1 ({'$make', Name, Fun} is made anew for each call); structures are built by the module itself, from pools of lists.  A shape says which parts
%% of the result are structures, whose inside is nobody's business: those are shown through project/1.

main(["--raw"]) -> [digest(Row, raw) || Row <- rows() ++ raw_rows()], ok;
main(["--raw", Dir]) -> replace(Dir), main(["--raw"]);
main([Name, Dir]) -> replace(Dir), main([Name]);
main([Name]) -> [details(Row) || Row <- rows() ++ raw_rows(), name(Row) =:= Name], ok;
main(_) -> [digest(Row, projected) || Row <- rows()], ok.

%% The module and its parts come from compiled files.
replace(Dir) ->
    {ok, Files} = file:list_dir(Dir),
    [{module, _} = code:load_abs(filename:join(Dir, filename:rootname(File)))
     || File <- lists:sort(Files), filename:extension(File) =:= ".mob"].

name({F, Types, _}) -> lists:flatten(io_lib:format("~w/~w", [F, length(Types)])).

digest({F, Types, Shape}, How) ->
    {Good, Bad} = cases(Types),
    {N, G} = results(F, Good, Shape, How),
    io:format("~w/~w ~w calls ~8.16.0b~n", [F, length(Types), N, G]),
    case How of
        raw -> {M, B} = results(F, Bad, Shape, How), io:format("~w/~w ~w bad ~8.16.0b~n", [F, length(Types), M, B]);
        projected -> ok
    end.

results(F, Cases, Shape, How) ->
    lists:foldl(fun(Args, {N, Crc}) ->
        {N + 1, erlang:crc32(Crc, io_lib:format("~w~n", [result(F, Args, Shape, How)]))}
    end, {0, 0}, Cases).

details({F, Types, Shape}) ->
    {Good, Bad} = cases(Types),
    [io:format("~w ~w(~s) -> ~w~n", [Kind, F, lists:join(", ", [text(A) || A <- Args]), result(F, Args, Shape, projected)])
        || {Kind, Cases} <- [{good, Good}, {bad, Bad}], Args <- Cases],
    ok.

text({'$fun', Name, _}) -> atom_to_list(Name);
text({'$make', Name, _}) -> atom_to_list(Name);
text(A) -> io_lib:format("~w", [A]).

result(F, Args, Shape, How) ->
    try apply(module(), F, [case A of {'$fun', _, Fun} -> Fun; {'$make', _, Make} -> Make(); _ -> A end || A <- Args]) of
        R when How =:= raw, (Shape =:= sorted orelse Shape =:= portions) -> {ok, show(Shape, R)};
        R when How =:= raw -> {ok, plain(R)};
        R -> {ok, show(Shape, R)}
    catch
        Class:_ when How =:= projected -> Class;
        Class:Reason -> {Class, short(Reason)}
    end.

%% Of a reason only its kind: what else stands in it may show the inside of a structure.
short(R) when is_tuple(R), tuple_size(R) > 0, is_atom(element(1, R)) -> element(1, R);
short(R) -> R.

show(raw, R) -> R;
show(l, R) -> {'$l', try {array:size(R), array:sparse_to_orddict(R)} catch _:_ -> R end};
show(s, R) -> {'$s', try project(R) catch _:_ -> R end};
show(portions, R) -> project(R);
show(i, R) -> {'$i', try walk((module()):next(R)) catch _:_ -> R end};
show(sorted, R) when is_list(R) -> canonical(R);
show({t, Shapes}, R) when is_tuple(R), tuple_size(R) =:= length(Shapes) ->
    list_to_tuple(lists:zipwith(fun show/2, Shapes, tuple_to_list(R)));
show(_, R) -> R.

walk(none) -> [];
walk(Step) ->
    N = tuple_size(Step),
    [lists:sublist(tuple_to_list(Step), N - 1) | walk((module()):next(element(N, Step)))].

%% Large maps have no order: as sorted lists.
plain(M) when is_map(M) -> {'$map', lists:sort([{plain(K), plain(V)} || {K, V} <- maps:to_list(M)])};
plain([H | T]) -> [plain(H) | plain(T)];
plain(T) when is_tuple(T) -> list_to_tuple(plain(tuple_to_list(T)));
plain(T) -> T.

%% Sorted, with a place of their own for terms that compare equal without being the same, as 1 and 1.0.
canonical(L) -> [T || {_, T} <- lists:sort([{term_to_binary(T), T} || T <- L])].

%% Every combination when there are few, else a fixed choice of them; and for the bad ones each position in turn.
cases(Types) ->
    Pools = [case T of {fixed, V} -> [V]; _ -> pool(T) end || T <- Types],
    Total = lists:foldl(fun(P, S) -> length(P) * S end, 1, Pools),
    Good = case Total =< 500 of
        true -> combine(Pools);
        false -> pick(500, [{length(P), list_to_tuple(P)} || P <- Pools], 4711, [])
    end,
    Firsts = [[hd(P), lists:last(P)] || P <- Pools],
    Bad = [lists:sublist(Args, I - 1) ++ [B | lists:nthtail(I, Args)]
              || Types =/= [], Args <- combine(Firsts), I <- lists:seq(1, length(Types)), B <- bad_values(lists:nth(I, Types))],
    {Good, lists:sublist(Bad, 300)}.

combine([]) -> [[]];
combine([P | Ps]) -> [[V | Vs] || V <- P, Vs <- combine(Ps)].

pick(0, _, _, Acc) -> Acc;
pick(N, Pools, Seed, Acc) ->
    {Args, Seed1} = lists:mapfoldl(fun({Size, T}, S) -> {element((S bsr 7) rem Size + 1, T), next(S)} end, next(Seed), Pools),
    pick(N - 1, Pools, Seed1, [Args | Acc]).

next(S) -> (S * 1103515245 + 12345) band 16#7fffffff.

bad_values(T) ->
    case lists:member(T, [any, elem, {fixed, x}]) of
        true -> [];
        false -> [V || V <- [a, -1, 1.5, [], {}, [x | y], #{}, <<1>>], not lists:member(V, good_of(T))]
    end.

good_of({fixed, V}) -> [V];
good_of(T) -> pool(T).

random(N, Max, Seed) -> random(N, Max, next(Seed), []).
random(0, _, _, Acc) -> Acc;
random(N, Max, S, Acc) -> random(N - 1, Max, next(S), [(S bsr 9) rem Max | Acc]).

%% Pools that all programs share.
common(any) -> [a, b, 1, 1.0, 2, {k, 1}, "s", [], 7];
common(elem) -> common(any);
common(nat) -> [0, 1, 2, 3, 7, 40];
common(pos) -> [1, 2, 3, 5, 11];
common(int) -> [0, 1, 2, 5, -1, -3];
common(list) ->
    [[], [a], [1, 2, 3], [3, 1, 2], [1, 2.25, 2.5, 3], [b, a, b, a], lists:seq(1, 12), random(20, 8, 1), random(40, 100, 2),
     [{k, 1}, {j, 2}, x, "s", 1.5], [[], [[]]], [7]];
common(ilist) -> [[], [1], [2, 1], [5, 3, 9, 1, 7], random(15, 50, 3), [-1, 0, 1], lists:seq(1, 10)];
common(sorted) -> [[], [1], [1, 2, 3], [a, b, c], lists:usort(random(20, 30, 4)), lists:usort(random(30, 40, 5)), [1, 1.5, 2, {x}], [{a, 1}, {b, 2}]];
common(kvs) ->
    [[], [{a, 1}], [{a, 1}, {b, 2}, {a, 3}], [{1, x}, {1.5, y}, {2, z}], lists:zip(random(20, 15, 6), random(20, 100, 7)),
     lists:zip(lists:seq(1, 40), lists:seq(101, 140)), [{k, [1]}, {j, [2, 3]}], [{b, 2}, {c, []}, {a, "s"}]];
common(key) -> [a, b, 1, 1.0, 2, k, 33, none];
common(pred) ->
    [{'$fun', is_int, fun(X) -> is_integer(X) end}, {'$fun', all, fun(_) -> true end}, {'$fun', none, fun(_) -> false end},
     {'$fun', small, fun(X) -> X < 5 end}, {'$fun', not_bool, fun(X) -> X end}];
common(map) ->
    [{'$fun', wrap, fun(X) -> {X} end}, {'$fun', double, fun(X) -> X * 2 end}];
common(fold) ->
    [{'$fun', collect, fun(X, A) -> [X | A] end}, {'$fun', sum, fun(X, A) -> X + A end}];
common(filtermap) ->
    [{'$fun', odd_even, fun(X) when is_integer(X), X rem 2 =:= 0 -> true; (X) when is_integer(X) -> {true, {odd, X}}; (_) -> false end},
     {'$fun', keep, fun(_) -> true end}];
common(less) ->
    [{'$fun', leq, fun(A, B) -> A =< B end}, {'$fun', geq, fun(A, B) -> A >= B end}];
common(kvpred) ->
    [{'$fun', odd_value, fun(_, V) -> is_integer(V) andalso V rem 2 =:= 1 end}, {'$fun', atom_key, fun(K, _) -> is_atom(K) end},
     {'$fun', kv_all, fun(_, _) -> true end}, {'$fun', kv_bad, fun(_, V) -> V end}];
common(kvmap) -> [{'$fun', pair, fun(K, V) -> {K, V} end}, {'$fun', add, fun(_, V) -> V + 1 end}];
common(kvfold) -> [{'$fun', kv_sum, fun(_, V, A) -> erlang:phash2(V) + A end}, {'$fun', kv_add, fun(_, V, A) -> V + A end}];
common(kvmerge) -> [{'$fun', three, fun(K, A, B) -> {K, A, B} end}, {'$fun', plus, fun(_, A, B) -> A + B end}];
common(update) -> [{'$fun', inc, fun(V) -> V + 1 end}, {'$fun', box, fun(V) -> [V] end}].
