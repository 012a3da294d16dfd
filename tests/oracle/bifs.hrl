%% Calls built-in functions with every combination of a pool of values, most of them wrong for the function, and prints a
%% digest of results and errors for each function; the programs calls_bifs*.mote include it.  What they print comes from erl
%% (`make expect`), so that `make test` replays OTP's answers without OTP.
%%
%%     mote tests/oracle/calls_bifs_2.mote                    a line for each function
%%     mote tests/oracle/calls_bifs_2.mote erlang:element     every call of one function
%%
%% A program defines table/0: {Module, Arity, Names}, and pool/0.  Pids, references and funs are shown as such, answers that
%% depend on the machine by their kind.

-compile(nowarn_unused_function).

main([Name]) -> [row(R, details) || {M, F, _} = R <- rows(), atom_to_list(M) ++ ":" ++ atom_to_list(F) =:= Name], ok;
main(_) -> [row(R, digest) || R <- rows()], ok.

rows() -> [{M, F, N} || {M, N, Fs} <- table(), F <- Fs].

%% Each function has a process of its own: names, flags and what is in the dictionary go with it.
row({M, F, N}, How) ->
    {Pid, Ref} = spawn_monitor(fun() ->
        _ = process_flag(trap_exit, true),
        {Calls, Crc} = each(N, pool(), [], fun(Args, Acc) -> call(M, F, Args, How, Acc) end, {0, 0}),
        exit({done, Calls, Crc})
    end),
    receive
        {'DOWN', Ref, process, Pid, {done, Calls, Crc}} -> io:format("~w:~w/~w ~w calls ~8.16.0b~n", [M, F, N, Calls, Crc]);
        {'DOWN', Ref, process, Pid, Why} -> io:format("~w:~w/~w ~w~n", [M, F, N, Why])
    end.

each(0, _, Args, Fun, Acc) -> Fun(lists:reverse(Args), Acc);
each(N, Pool, Args, Fun, Acc) -> lists:foldl(fun(V, A) -> each(N - 1, Pool, [V | Args], Fun, A) end, Acc, Pool).

call(M, F, Args, How, {N, Crc} = Acc) ->
    case is_left_out(F, Args) of
        true -> Acc;
        false ->
            Text = unicode:characters_to_binary(io_lib:format("~tw ~tw~n", [shown(Args), result(M, F, Args)])),
            _ = [io:format("~w:~w ~ts", [M, F, Text]) || How =:= details],
            {N + 1, erlang:crc32(Crc, Text)}
    end.

result(M, F, Args) ->
    try apply(M, F, Args) of
        V -> case by_kind(M, F) of true -> {ok, kind(V)}; false -> {ok, shown(V)} end
    catch
        C:E:S -> {C, shown(E), S =/= [] andalso top(M, F, Args, hd(S))}
    end.

%% Does the trace begin with the call.  Some functions are made of others, here or there.
top(M, F, Args, {M, F, Args, _}) -> is_made_of_another(M, F) orelse call;
top(M, F, _, _) -> is_made_of_another(M, F).

is_made_of_another(erlang, F) -> lists:member(F, [error, apply, '!', spawn_monitor, spawn_opt, spawn_link, spawn]);
is_made_of_another(M, F) -> lists:member({M, F}, [{lists, subtract}, {maps, to_list}, {binary, bin_to_list}]).

by_kind(erlang, F) ->
    lists:member(F, [monotonic_time, system_time, time_offset, unique_integer, memory, statistics, system_info, process_info, pid_to_list,
                     ref_to_list, fun_to_list, fun_info, md5_update]);
by_kind(os, _) -> true;
by_kind(_, _) -> false.

kind(V) when is_integer(V) -> integer;
kind([{K, V} | T]) -> [{K, kind(V)} | kind(T)];
kind(V) when is_list(V) -> list;
kind(V) when is_tuple(V) -> {tuple, tuple_size(V)};
kind(V) when is_map(V) -> map;
kind(V) when is_binary(V) -> binary;
kind(V) -> shown(V).

shown(P) when is_pid(P), P =:= self() -> 'SELF';
shown(P) when is_pid(P) -> 'PID';
shown(R) when is_reference(R) -> 'REF';
shown(P) when is_port(P) -> 'PORT';
shown(F) when is_function(F) -> {'FUN', element(2, erlang:fun_info(F, arity))};
shown([H | T]) -> [shown(H) | shown(T)];
shown(T) when is_tuple(T) -> list_to_tuple(shown(tuple_to_list(T)));
shown(M) when is_map(M) -> {'MAP', lists:sort([{shown(K), shown(V)} || {K, V} <- maps:to_list(M)])};
shown(X) -> X.

%% What would end the test, wait, need much memory, or is named in docs/language.md.
is_left_out(halt, [X | _]) -> is_integer(X) orelse is_list(X) orelse X =:= abort;
is_left_out(group_leader, [_, P]) -> is_pid(P);
is_left_out(delete_module, [M]) -> is_atom(M) andalso erlang:module_loaded(M);
is_left_out(module_loaded, [M]) -> M =:= unicode;
is_left_out(suspend_process, [P | _]) -> is_pid(P);
is_left_out(hibernate, [M, F, A]) -> is_atom(M) andalso is_atom(F) andalso is_list(A);
is_left_out(new, [N, _]) -> is_integer(N) andalso N > 1000;
is_left_out(copy, [_, N]) -> is_integer(N) andalso N > 100000;
is_left_out(make_tuple, [N | _]) -> is_integer(N) andalso N >= 1 bsl 24;
is_left_out(F, Args) when F =:= convert_time_unit; F =:= monotonic_time; F =:= system_time; F =:= time_offset; F =:= perf_counter ->
    lists:any(fun(A) -> is_integer(A) andalso A >= 1 bsl 59 end, Args);
is_left_out(posixtime_to_universaltime, [N]) -> is_integer(N) andalso abs(N) > 1 bsl 40;
is_left_out(list_to_ref, [T]) -> T =:= "#Ref<0.1.2.3>";
is_left_out(F, Args) when F =:= spawn; F =:= spawn_link; F =:= spawn_monitor; F =:= spawn_opt; F =:= spawn_request ->
    %% Only what cannot start.
    lists:any(fun is_function/1, Args) orelse lists:any(fun(A) -> is_tuple(A) andalso tuple_size(A) =:= 2 end, Args)
        orelse starts(Args) orelse (Args =/= [] andalso starts(tl(Args)));
is_left_out(F, Args) when F =:= phash2; F =:= phash; F =:= term_to_binary; F =:= external_size; F =:= term_to_iovec; F =:= flat_size ->
    lists:any(fun(A) -> is_pid(A) orelse is_reference(A) orelse is_function(A) orelse (is_map(A) andalso map_size(A) > 32) end, Args);
is_left_out(F, [M]) when is_map(M), F =/= map_size -> map_size(M) > 32;
is_left_out(_, _) -> false.

starts([M, F, A | _]) -> is_atom(M) andalso is_atom(F) andalso (is_list(A) orelse is_atom(A));
starts(_) -> false.

ints() -> [0, 1, -1, 2, 3, 7, 10, 36, 37, 64, 255, 256, 1114112, (1 bsl 59) - 1, -(1 bsl 59), 1 bsl 63, 1 bsl 64, -(1 bsl 64), 1 bsl 200].
floats() -> [0.0, 1.0, 1.5, -2.5, 0.1, 1.0e22, 1.7e308, 5.0e-324, 4503599627370497.5, 1.8446744073709552e19].
atoms() -> [a, true, false, '', '\x{e4}', '\x{400}', undefined, lists, erlang, map, native, second, latin1, utf8, utf16, big, little, infinity, process, normal, kill, trap_exit, name, x, time_unit].
lists_() -> [[], [a], [1, 2, 3], [1 | 2], "abc", [256], [-1], [[1, <<2>>] | <<3>>], [[[]]], [1, [2 | 3]], [a | b], "12", "-0", "1.5", "1.5e400", "+7", "ff", "zz", [1114112], [55296], "\x{400}",
   [{a, 1}, {b, 2}], [{a, 1} | x], [{a, 1}, b], [latin1], [compressed], [{decimals, 2}], [{decimals, 4}, compact], [{scientific, 3}], [short], [safe], [used], [flush], [flush, info], [link], [monitor],
   [deterministic], [{minor_version, 0}], [{minor_version, 1}], [{minor_version, 2}], [explicit_unalias], [{alias, reply}], [{capture, all}], [noconnect], [nosuspend], [{abs, true}], [{async, true}],
   [1, 1.0, 2], [<<"a">>, <<"ab">>], [<<>>], [<<1:3>>], [[<<"a">>, "b"], 99 | <<"c">>], [[2, a], [1, b]], [{1, x}, {1.0, y}], [message_queue_len, status], [<<"a">>], "<0.0.0>", "<0.1.2.3>", "#Ref<0.1.2.3>", "#Port<0.1>",
   [{scientific, 250}], [{decimals, 253}], [{decimals, 254}], [{decimals, -1}], [monotonic], [positive, monotonic], [{timeout, 1}], [{scope, []}], [{fullsweep_after, -1}], [{priority, high}], [{type, major}]].
tuples() -> [{}, {a}, {a, b, c}, {1, 1}, {0, 2}, {1, -1}, {-1, 1}, {{1970, 1, 1}, {0, 0, 0}}, {{2020, 2, 30}, {0, 0, 0}}, {{2020, 6, 30}, {23, 59, 60}}, {{-1, 1, 1}, {0, 0, 0}}, {a, node()}, {a, nonode}, {1, {2, [3]}}, {message_queue_data, on_heap}].
maps_() -> [#{}, #{a => 1}, #{1 => a, 1.0 => b}, #{a => #{b => [1]}, "x" => <<>>}, maps:from_list([{I, I} || I <- lists:seq(1, 40)])].
bins() -> [<<>>, <<1>>, <<"abc">>, <<1:3>>, <<"ab", 5:7>>, <<255, 254>>, <<"12">>, <<"-12">>, <<"1.5">>, <<"\x{e4}"/utf8>>, <<"\x{400}"/utf8>>, <<"a">>, <<"zz">>,
   <<131, 97, 1>>, <<131, 97, 1, 7>>, <<131, 104, 1>>, <<131, 106>>, <<131, 98, 255, 255, 255, 255>>, <<131, 110, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1>>, <<131, 70, 127, 240, 0, 0, 0, 0, 0, 0>>,
   <<131, 100, 0, 1, $q>>, <<131, 119, 3, $n, $e, $w>>, <<131, 116, 0, 0, 0, 2, 97, 1, 97, 1, 97, 1, 97, 2>>, <<131, 77, 0, 0, 0, 1, 9, 1>>, <<131, 77, 0, 0, 0, 1, 3, 255>>, <<131, 107, 0, 2, 1, 2>>,
   <<131, 108, 0, 0, 0, 1, 97, 1, 97, 2>>, <<131, 80, 0, 0, 0, 3, 120, 156, 1, 2>>, <<130, 97, 1>>, <<131>>, <<0:128>>, <<"bc">>].
others() -> [fun(X) -> X end, fun lists:map/2, self(), make_ref()].
all_values() -> ints() ++ floats() ++ atoms() ++ lists_() ++ tuples() ++ maps_() ++ bins() ++ others().
