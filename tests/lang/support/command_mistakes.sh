# Each mistake of a new user: the first lines of what the command says, and its status.
cd "$TMP" || exit 1
printf 'io:format("hello~~n").\n' >hello.mote
"$MOTE" compile hello.mote
say() {
    "$MOTE" "$@" >out 2>err
    status=$?
    echo "$(head -n 2 err | grep -v '^usage' | grep -v '^ ' | tr '\n' ' ')$status"
}
say --shedulers 2 hello.mote
say --schedulers abc hello.mote
say --seed
say --otp25=yes hello.mote
say compile --dump foo hello.mote
say comple hello.mote
say hello
say .
say compile nofile.mote
say compile .
say compile -o nodir hello.mote
full() {
    "$MOTE" "$@" 2>err >/dev/full
    status=$?
    echo "$(head -n 1 err) $status"
}
full --version
full disasm hello.mob
full compile --dump core hello.mote
"$MOTE" --version 2>err >&-
status=$?
echo "$(cat err) $status"
"$MOTE" hello.mote 2>err >/dev/full
status=$?
grep -q enospc err && echo "hello failed $status"
"$MOTE" - 2>err <&-
status=$?
echo "$(cat err) $status"
printf '\376\000\001\002' >binary.mote
say binary.mote
printf 'f(]\033[31m).\n' >control.mote
say control.mote
sed -n 2p err
printf '\357\273\277io:format("mark ").\n' >mark.mote
"$MOTE" mark.mote
echo $?
printf 'io:format("carriage ").\r\nok.\r\n' >carriage.mote
"$MOTE" carriage.mote
echo $?
