#!/usr/bin/env bash
# Puts `apus` on the PATH, with what completes its commands and options in bash, zsh and fish.
#
#     scripts/install.sh [PREFIX]      # default: ~/.local
#
# PREFIX/bin/apus is a link to the program of this folder: a clone's, which is built if it is missing, or a package's.
# Undo it by removing the files that are named. Exit status 2 when a person has to act.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
if [[ -z ${HOME:-} ]]; then
    unset HOME # without it, bash takes the home folder from the password file
    export HOME=~
fi
prefix=${1:-$HOME/.local}

program=$root/apus
if [[ ! -x $program || -d $program ]]; then
    program=$root/.build/release/apus
    if [[ ! -x $program ]]; then
        "$root/scripts/setup.sh"
        "$root/scripts/build.sh" -c release --product apus
    fi
fi

fail() {
    printf 'install: %s\n' "$1" >&2
    exit 2
}

link=$prefix/bin/apus
if [[ -e $link && ! -L $link ]]; then fail "$link is there and is not a link: move it away, or give another PREFIX"; fi
mkdir -p -- "$prefix/bin" || fail "$prefix/bin cannot be made: give another PREFIX, such as scripts/install.sh ~/apus"
ln -sfn -- "$program" "$link"
printf '%s\n' "$link"

# Shell, and the file in which it looks for the completions of a program named apus.
while read -r shell file; do
    mkdir -p -- "$(dirname -- "$prefix/$file")"
    "$program" --generate-completion-script "$shell" >"$prefix/$file"
    printf '%s\n' "$prefix/$file"
done <<'FILES'
bash share/bash-completion/completions/apus
zsh share/zsh/site-functions/_apus
fish share/fish/vendor_completions.d/apus.fish
FILES

case ":$PATH:" in
    *":$prefix/bin:"*) ;;
    *)
        printf 'install: %s is not on the PATH: add the line  export PATH="%s:$PATH"  to ~/.profile\n' \
            "$prefix/bin" "$prefix/bin" >&2
        ;;
esac
