# A host with a real sshd and rsyslog, and a network of strangers before it; $1 is a directory with their configuration.
#
# It runs as the first process of a PID namespace with mounts of its own, and reads `ADDRESS USER PASSWORD` lines from its
# standard input: each is an attempt to log in. When the input ends, or whoever started this is gone, the kernel ends
# everything in here, and nothing of it was ever to be seen outside.
set -eu
cd "$1"

# Its accounts, its /run, and a /dev with a socket for syslog(3).
for file in passwd group shadow; do mount --bind "$file" "/etc/$file"; done
mount -t tmpfs none /run
mkdir /run/sshd dev
mount -t tmpfs none dev
for device in null zero random urandom; do
  : > "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
ln -s "$1/log.sock" dev/log
mount --move dev /dev

# rsyslog stays in the network it was started in, and so reaches the listener on loopback.
rsyslogd -n -f "$1/rsyslog.conf" -i "$1/rsyslog.pid" &
until [ -S log.sock ]; do sleep 0.1; done

# Two networks, one wire.
outside=$(readlink /proc/self/ns/net)
unshare --net sleep infinity & host=$!
unshare --net sleep infinity & world=$!
for one in $host $world; do
  until [ "$(readlink /proc/$one/ns/net)" != "$outside" ]; do sleep 0.1; done
done
on_host="nsenter --net=/proc/$host/ns/net"
in_world="nsenter --net=/proc/$world/ns/net"
$on_host ip link add wire type veth peer name wire netns "$world"
$on_host ip address add 192.0.2.1/24 dev wire
$on_host ip link set wire up
$on_host ip route add default dev wire
for address in $(cat addresses); do $in_world ip address add "$address/32" dev wire; done
$in_world ip link set wire up
$in_world ip route add 192.0.2.1 dev wire

# Since 9.8 sshd itself makes guessing sources wait; what is to be seen here is what they do.
{ cat sshd_config; echo 'PerSourcePenalties no'; } > patient_config
if /usr/sbin/sshd -t -f "$1/patient_config" 2> /dev/null; then mv patient_config sshd_config; fi
$on_host /usr/sbin/sshd -D -f "$1/sshd_config" &
until $in_world ssh-keyscan -T 1 192.0.2.1 2> /dev/null | grep -q .; do sleep 0.1; done
echo ready

while read -r address user password; do
  result=refused
  GIVEN="$password" SSH_ASKPASS="$1/askpass" SSH_ASKPASS_REQUIRE=force $in_world \
    ssh -F none -b "$address" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o PreferredAuthentications=password -o NumberOfPasswordPrompts=3 -o ConnectTimeout=10 \
    "$user@192.0.2.1" true < /dev/null >> ssh.log 2>&1 && result=in
  echo "$result"
done
