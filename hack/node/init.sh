#!/bin/sh
# The first process in a node's namespaces. The process sets the namespaces up like a separate machine, and then waits
# for the end of their processes.
#
#   init.sh FOLDER SERVICE_ADDRESS NODE_ADDRESS
set -eu
folder=$1
service=$2
node=$3

# Files that containerd, kubelet and CNI plug-ins write outside their own folders are visible only here. The files are
# deleted together with the namespaces.
mount -t tmpfs tmpfs /run
mkdir /run/upper /run/work /run/sysctl
mount -t overlay overlay -o lowerdir=/var,upperdir=/run/upper,workdir=/run/work /var

# kubelet sets these kernel parameters for the whole machine (pkg/kubelet/cm/container_manager_linux.go,
# setupKernelTunables). Here, kubelet finds the expected values in separate files.
hide() {
  echo "$2" >"/run/sysctl/${1##*/}"
  mount --bind "/run/sysctl/${1##*/}" "/proc/sys/$1"
}
hide vm/overcommit_memory 1
hide vm/panic_on_oom 0
hide kernel/panic 10
hide kernel/panic_on_oops 1
hide kernel/keys/root_maxkeys 1000000
hide kernel/keys/root_maxbytes 25000000

# systemd mounts tracefs at the same path. A kernel without tracing has no such folder.
[ ! -d /sys/kernel/tracing ] || mount -t tracefs tracefs /sys/kernel/tracing

ip link set lo up
ip address add "$service/32" dev lo
# The bridge has a fixed address. Without it, the bridge takes the lowest address of its ports. Pods then lose their
# gateway for half a minute whenever another pod brings a lower address.
ip link add cni0 address 0a:58:0a:58:00:01 type bridge
ip address add "$node/16" dev cni0
ip link set cni0 up

touch "$folder/ready"
# A shell that waits also reaps the processes whose parents have ended, such as the shims of containers.
sleep infinity &
wait
