#!/bin/sh
# Gathers what a folder of programs needs to run on nothing else: root.sh PROGRAMS OUT
#   OUT/programs   the programs, without debugging sections (function names for backtraces stay)
#   OUT/debian     the shared libraries they load, certificates, users; and, of every Debian package a file is from, its
#                  licence and its entry for scanners (/var/lib/dpkg/status.d)
# Runs inside the build, on Debian.
set -eu

programs=$1
out=$2
root=$out/debian

fail() {
    echo "root: $*" >&2
    exit 1
}

# The paths of all libraries that the programs load, the dynamic linker among them.
libraries() {
    for program in "$programs"/*; do
        linked=$(ldd "$program") || fail "$program cannot be loaded here: was it built for this processor?"
        missing=$(echo "$linked" | sed -n 's/^\t\(.*\) => not found$/\1/p')
        [ -z "$missing" ] || fail "$program needs $missing, which this Debian has not: build it on Debian 12, or in the builder stage"
        echo "$linked" | awk '$2 == "=>" && $3 ~ /^\// {print $3} $1 ~ /^\// {print $1}'
    done | sort -u
}

# /lib and /lib64 are links into /usr, as on Debian.
make_root() {
    mkdir -p "$root/etc/ssl/certs" "$root/tmp" "$root/usr/lib" "$root/usr/lib64" "$root/usr/local/bin" "$root/var/lib/dpkg/status.d"
    chmod 1777 "$root/tmp"
    ln -s usr/lib "$root/lib"
    ln -s usr/lib64 "$root/lib64"
    printf 'root:x:0:0:root:/:/sbin/nologin\nanalysis:x:10001:10001:analysis:/tmp:/sbin/nologin\n' >"$root/etc/passwd"
    printf 'root:x:0:\nanalysis:x:10001:\n' >"$root/etc/group"
    echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    cp -L /etc/os-release "$root/etc/os-release"
}

# A library under the name it is loaded by, whatever links lead to it.
copy_library() {
    folder=$(readlink -f "$(dirname "$1")")
    mkdir -p "$root$folder"
    cp -L "$1" "$root$folder/"
}

# The package a file is from; dpkg knows some files by their place before /lib became a link.
package_of() {
    file=$(readlink -f "$1")
    { dpkg -S "$file" 2>/dev/null || dpkg -S "${file#/usr}" 2>/dev/null; } | sed 's/[:,].*//; q'
}

record_package() {
    [ ! -e "$root/var/lib/dpkg/status.d/$1" ] || return 0
    dpkg-query -s "$1" >"$root/var/lib/dpkg/status.d/$1"
    mkdir -p "$root/usr/share/doc/$1"
    cp -L "/usr/share/doc/$1/copyright" "$root/usr/share/doc/$1/"
}

make_root
for library in $(libraries); do
    copy_library "$library"
    package=$(package_of "$library")
    [ -n "$package" ] || fail "no package owns $library"
    record_package "$package"
done
record_package ca-certificates
record_package base-files

mkdir -p "$out/programs"
for program in "$programs"/*; do
    strip --strip-debug -o "$out/programs/$(basename "$program")" "$program"
done
chmod 755 "$out"/programs/*
# The same files are the same layer, whenever they are gathered.
find "$out" -exec touch --no-dereference --date=@0 {} +
