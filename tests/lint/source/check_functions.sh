#!/bin/bash
# Functions that src/ and cuda/ of the tree ROOT must not call, or only in one place.
# check_functions.sh ROOT
set -euo pipefail
cd "$1"

# A pattern of function names, the files that may call them (a pattern; ^$ is none), why.
perl -we '
use strict;
my @rules = (
    [qr/strcpy|strcat|sprintf|vsprintf|gets|strtok|scanf|sscanf|fscanf/, qr/^$/, "unbounded"],
    [qr/atoi|atol|atoll|atof/, qr/^$/, "tells no error"],
    [qr/rand|srand|random|srandom|drand48|rand_r/, qr/^$/, "use base/rng.h"],
    [qr/assert/, qr/^$/, "use GE_ASSERT, or return a status"],
    [qr/exit|quick_exit/, qr{^src/main\.c$}, "return a status"],
    [qr/_exit|_Exit/, qr{^src/(main\.c$|cli/)}, "return a status"],
    [qr/abort/, qr{^src/base/log\.c$}, "return a status"],
    [qr/MPI_Abort/, qr{^src/dist/comm_mpi[^/]*\.c$}, "return a status"],
    [qr/malloc|calloc|realloc|reallocarray|aligned_alloc|posix_memalign|strdup|strndup|alloca|asprintf/,
     qr{^src/base/mem\.[ch]$}, "use base/mem.h"],
    [qr/system|popen|tmpnam|tempnam|mktemp/, qr/^$/, "unsafe"],
);
my $libm = qr/(?:exp|exp2|expm1|log|log2|log10|log1p|erf|erfc|tanh|sinh|cosh|pow|sin|cos|tan|lgamma|tgamma)[fl]?/;
my $digits = qr{^src/(device/cpu|aggregate|score|evaluate)/};
my ($n, $bad) = (0, 0);
for my $file (@ARGV) {
    open(my $in, "<", $file) or die "$file: $!";
    local $/;
    my $text = <$in>;
    # Comments become as many line ends, strings become empty.
    $text =~ s{(/\*.*?\*/)|(//[^\n]*)|("(?:[^"\\\n]|\\.)*")|(\x27(?:[^\x27\\\n]|\\.)*\x27)}
              {defined $1 ? "\n" x ($1 =~ tr/\n//) . " " : defined $2 ? "" : "\"\""}gsex;
    my $line = 0;
    for (split /\n/, $text) {
        $line++;
        while (/(?<![\w.>])([A-Za-z_]\w*)\s*\(/g) {
            my $name = $1;
            for my $r (@rules) {
                next unless $name =~ /^(?:$r->[0])$/ and $file !~ $r->[1];
                print STDERR "$file:$line: $name(): $r->[2]\n";
                $bad = 1;
            }
            next unless $file =~ $digits and $name =~ /^$libm$/;
            print STDERR "$file:$line: $name() of libm: its digits differ between machines; use base/math.h\n";
            $bad = 1;
        }
    }
    $n++;
}
die "no sources\n" if $n == 0;
exit $bad;
' $(find src cuda -type f \( -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' \) 2>/dev/null | sort)
