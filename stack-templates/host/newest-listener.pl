# For a program that takes its own ports over with SO_REUSEPORT, as Caddy does at each reload: every new connection goes to the
# newest of its sockets at a port. Otherwise the kernel divides new connections between the old and the new configuration until
# the old one ends, and Go's server closes each whose first request has not arrived by then (golang/go#65802).
# In Perl, since perl-base is part of every Debian and Ubuntu.
#   perl newest-listener.pl PID     as root; fails where the kernel refuses
use strict;
use warnings;

# asm-generic/socket.h, asm-generic/unistd.h: the same numbers on amd64 and arm64.
my ($sol_socket, $so_reuseport, $so_acceptconn, $so_attach_reuseport_cbpf) = (1, 15, 30, 51);
my ($sys_pidfd_open, $sys_pidfd_getfd) = (434, 438);

# A classic BPF program (linux/filter.h) of the one instruction "return 1": the second socket of a port. Where there is only one,
# the kernel takes that.
my $instruction = pack 'SCCL', 0x06, 0, 0, 1;
my $program = pack 'S x![P] P', 1, $instruction;

my $pid = shift // '';
die "usage: newest-listener.pl PID\n" unless $pid =~ /^[1-9][0-9]*$/;
my $process = syscall $sys_pidfd_open, $pid + 0, 0;
die "process $pid: $!\n" if $process < 0;
opendir my $descriptors, "/proc/$pid/fd" or die "process $pid: $!\n";
for my $number (readdir $descriptors) {
  next unless (readlink "/proc/$pid/fd/$number" // '') =~ /^socket:/;
  my $copy = syscall $sys_pidfd_getfd, $process, $number + 0, 0;
  # A connection may have ended since.
  next if $copy < 0 && $! == 9;
  die "socket $number of process $pid: $!\n" if $copy < 0;
  open my $socket, '+<&=', $copy or die "socket $number of process $pid: $!\n";
  my ($listens, $shared) = map { unpack 'i', getsockopt($socket, $sol_socket, $_) // pack 'i', 0 } $so_acceptconn, $so_reuseport;
  next unless $listens && $shared;
  setsockopt $socket, $sol_socket, $so_attach_reuseport_cbpf, $program or die "socket $number of process $pid: $!\n";
}
