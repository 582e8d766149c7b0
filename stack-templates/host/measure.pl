#!/usr/bin/perl
# Sizes of volumes, and the largest folders in them. Names of folders are an App's own, so this runs in a container that has no network,
# and of the host only /usr and the volumes, read-only; what it prints is printable text without tabs.
#   measure.pl FOLDER   volumes are FOLDER/STACK/VOLUME
# It prints lines of four fields, with tabs between: "volume", stack, volume, KiB; "folder", stack, path that begins with the volume, KiB.
use strict;
use warnings;

my $root = shift;
# Folders below this do not explain a full disk.
my $least = 50 * 1024;
my $depth = 6;
my $shown = 5;

# As people can read it on one line: no control, no sign that changes the direction of what follows.
sub printable {
    my ($name) = @_;
    if (utf8::decode($name)) {
        $name =~ s/[^[:print:]]|[\x{ad}\x{61c}\x{200b}-\x{200f}\x{2028}-\x{202f}\x{2060}-\x{206f}\x{feff}\x{fff9}-\x{fffb}\x{e0000}-\x{e0fff}]/?/g;
    } else {
        $name =~ s/[^\x20-\x7e]/?/g;
    }
    $name = substr($name, 0, 60) . '...' . substr($name, -37) if length $name > 100;
    utf8::encode($name);
    return $name;
}

my @volumes = map { "$_/" } sort glob "$root/*/*";
exit unless @volumes;
open STDERR, '>', '/dev/null' or die;
open my $du, '-|', '/usr/bin/du', '--null', '--one-file-system', '--block-size=1K', "--max-depth=$depth", '--', @volumes or die;
local $/ = "\0";
# By stack: path of a large folder, its KiB, and the KiB of its largest subfolder.
my (%size, %child);
while (my $entry = <$du>) {
    chomp $entry;
    my ($kib, $stack, $volume, $path) = $entry =~ m{\A(\d+)\t\Q$root\E/([^/]+)/([^/]+)/?(.*)\z}s or next;
    if ($path eq '') {
        print "volume\t$stack\t$volume\t$kib\n";
        next;
    }
    next if $kib < $least;
    $path = "$volume/$path";
    $size{$stack}{$path} = $kib;
    my ($parent) = $path =~ m{\A(.*)/}s;
    $child{$stack}{$parent} = $kib if $kib > ($child{$stack}{$parent} // 0);
}
for my $stack (sort keys %size) {
    my $of = $size{$stack};
    # Where nearly all is in one subfolder, that says more.
    my @found = grep { ($child{$stack}{$_} // 0) < 0.8 * $of->{$_} } sort { $of->{$b} <=> $of->{$a} || $a cmp $b } keys %$of;
    splice @found, $shown if @found > $shown;
    print "folder\t$stack\t", printable($_), "\t$of->{$_}\n" for @found;
}
