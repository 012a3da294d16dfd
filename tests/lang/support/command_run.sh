# Prints what the command does, one line per question; run by command_run.mote.
cd "$TMP" || exit 1
say() { sed "s|$TMP|TMP|g"; }

cat >prog.mote <<'P'
-module(prog).
-export([main/1, v/0]).
main(A) -> io:format("~s~p~n", [os_name(), A]).
os_name() -> ?N.
v() -> {literal, "text"}.
P
$MOTE -D 'N="text: "' prog.mote 1 --seed 'x y'; echo $?
$MOTE compile -D 'N="mob: "' -o . prog.mote && $MOTE prog.mob a; echo $?
cp prog.mote prog.erl; $MOTE -D 'N="erl: "' prog.erl; echo $?
$MOTE -e 'X = 1' -e 'Y = X + 2.' -e 'io:format("~p~n", [Y])'; echo $?
echo 'io:format("piped ~p~n", [init:get_plain_arguments()]).' | $MOTE - p; echo $?

for v in 1 2; do
    mkdir -p $v; printf -- '-module(found).\n-export([v/0]).\nv() -> %s.\n' $v >$v/found.mote
    $MOTE compile -o $v $v/found.mote
done
ask='io:format("~p~n", [found:v()])'
echo "pa: $($MOTE -pa 1 -pa 2 -e "$ask")"
echo "pa: $($MOTE -pa 2 -pa 1 -e "$ask")"
echo "path: $(MOTE_PATH=1:2 $MOTE -e "$ask")"
echo "pa before path: $(MOTE_PATH=1 $MOTE -pa 2 -e "$ask")"

$MOTE -e 'halt(7)'; echo "halt: $?"
$MOTE -e 'error(bad)' 2>/dev/null; echo "fails: $?"
printf -- '-module(nomain).\n-export([f/0]).\nf() -> ok.\n' >nomain.mote
$MOTE nomain.mote 2>/dev/null; echo "no main: $?"
for words in '' '--nothing' '-pa' '--seed x' 'compile' '-o . prog.mob'; do
    $MOTE $words >/dev/null 2>&1 </dev/null; echo "usage: $?"
done

head -c 200 prog.mob >cut.mob; $MOTE "$TMP/cut.mob" 2>&1 | say; $MOTE cut.mob 2>/dev/null; echo $?
{ head -c 8 prog.mob; printf '\377'; tail -c +10 prog.mob; } >other.mob
$MOTE "$TMP/other.mob" 2>&1 | say; $MOTE other.mob 2>/dev/null; echo $?
size=$(wc -c <prog.mob)
{ head -c $((size / 2)) prog.mob; printf '\377\377'; tail -c +$((size / 2 + 3)) prog.mob; } >flip.mob
$MOTE "$TMP/flip.mob" 2>&1 | say; $MOTE flip.mob 2>/dev/null; echo $?
$MOTE "$TMP/nothing.mote" 2>&1 | say; $MOTE nothing.mote 2>/dev/null; echo $?

printf -- '-module(warn).\n-export([main/0]).\nmain() -> X = 1.\n' >warn.mote
$MOTE --warnings-as-errors warn.mote 2>/dev/null; echo "warning is error: $?"
$MOTE --otp25 -e 'X = maybe, maybe = X' 2>/dev/null; echo "maybe: $?"
$MOTE -e 'X = maybe, maybe = X' 2>/dev/null; echo "maybe without: $?"
$MOTE -D A -D 'B="two"' -DC=1 -e 'true = ?A, io:format("define: ~p~n", [{?C, ?B}])'
$MOTE -e 'io:put_chars(lists:duplicate(100000, $x)), halt()' | wc -c | grep -q 100000 && echo "written: yes"

# A shell's background jobs ignore SIGINT, so `timeout` sends it.
timeout --preserve-status -s INT 0.5 $MOTE -e 'receive never -> ok end'; echo "interrupt: $?"
$MOTE -e 'io:put_chars("up\n"), receive never -> ok end' >term.out & pid=$!
while ! grep -q up term.out 2>/dev/null; do sleep 0.02; done
kill -TERM $pid; wait $pid; echo "terminate: $?"
# A program that nobody can stop by asking: the second signal ends it.
$MOTE -e 'unregister(init), io:put_chars("up\n"), receive never -> ok end' >stay.out 2>/dev/null & pid=$!
while ! grep -q up stay.out 2>/dev/null; do sleep 0.02; done
while kill -TERM $pid 2>/dev/null; do sleep 0.02; done
wait $pid; echo "terminate twice: $?"
echo "closed pipe: $($MOTE -e 'F = fun G() -> io:put_chars("first\n"), G() end, F()' | head -1)"
$MOTE disasm prog.mob | grep 'function v/0'
$MOTE disasm prog.mob | grep -q '{literal,"text"}' && echo "literal: yes"
