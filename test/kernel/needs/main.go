// A program for containers. The program performs one action that needs certain capabilities, and fails without these
// capabilities.
//
//	needs NAME [ARGUMENT...]
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const other = 1000

// The first file has another owner and mode 0600. The second file has the set-user-ID bit. The third file can change.
const (
	foreign = "/foreign"
	setuid  = "/setuid"
	file    = "/file"
)

var actions = map[string]func() error{
	"nothing": func() error { return nil },
	"ping":    ping,
	"chown":   func() error { return os.Chown(file, other, other) },
	"bind":    func() error { return closed(net.Listen("tcp4", "127.0.0.1:80")) },
	"daemon":  daemon,
	"sniff":   sniff,
	"mount":   func() error { return syscall.Mount("tmpfs", "/mnt", "tmpfs", 0, "") },
	// A workload that tries to mount, and continues even if the mount fails.
	"try-mount":     func() error { _ = syscall.Mount("tmpfs", "/mnt", "tmpfs", 0, ""); return nil },
	"ptrace":        ptrace,
	"address":       address,
	"chroot":        func() error { return syscall.Chroot("/mnt") },
	"kill":          kill,
	"mknod":         func() error { return syscall.Mknod("/node", syscall.S_IFCHR|0o600, 1<<8|3) },
	"read":          func() error { _, err := os.ReadFile(foreign); return err },
	"write":         func() error { return os.WriteFile(setuid, []byte("text"), 0) },
	"capset":        capset,
	"own-namespace": ownNamespace,
	"nice":          func() error { return syscall.Setpriority(syscall.PRIO_PROCESS, 0, -5) },
	"forks":         forks,
	"forge":         forge,
	"sleep":         func() error { time.Sleep(seconds()); return nil },
}

func main() {
	if err := actions[os.Args[1]](); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

// Sends an echo request through a raw socket, and reads the answer.
func ping() error {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_ICMP)
	if err != nil {
		return err
	}
	defer syscall.Close(socket)
	request := []byte{8, 0, 0xf7, 0xff, 0, 0, 0, 0}
	if err := syscall.Sendto(socket, request, 0, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	_, _, err = syscall.Recvfrom(socket, make([]byte, 64), 0)
	return err
}

// Gives up root, as a daemon does after its start.
func daemon() error {
	return errors.Join(syscall.Setgroups([]int{}), syscall.Setgid(other), syscall.Setuid(other))
}

// Listens to all packets, as tcpdump does.
func sniff() error {
	const all = 0x0300 // ETH_P_ALL in the network's order
	socket, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, all)
	if err != nil {
		return err
	}
	defer syscall.Close(socket)
	return syscall.Bind(socket, &syscall.SockaddrLinklayer{Protocol: all, Ifindex: 1})
}

// Starts a sleeping process of another user.
func stranger() (*exec.Cmd, error) {
	command := exec.Command("/proc/self/exe", "sleep", "60")
	credential := &syscall.Credential{Uid: other, Gid: other, NoSetGroups: true}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	return command, command.Start()
}

func ptrace() error {
	runtime.LockOSThread()
	command, err := stranger()
	if err != nil {
		return err
	}
	return syscall.PtraceAttach(command.Process.Pid)
}

func kill() error {
	command, err := stranger()
	if err != nil {
		return err
	}
	return command.Process.Kill()
}

// Adds an address to the loopback interface through netlink (rtnetlink(7)).
func address() error {
	socket, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW, syscall.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer syscall.Close(socket)
	type message struct {
		syscall.NlMsghdr
		syscall.IfAddrmsg
		syscall.RtAttr
		address [4]byte
	}
	request := message{
		NlMsghdr: syscall.NlMsghdr{
			Type:  syscall.RTM_NEWADDR,
			Flags: syscall.NLM_F_REQUEST | syscall.NLM_F_ACK | syscall.NLM_F_CREATE,
		},
		IfAddrmsg: syscall.IfAddrmsg{Family: syscall.AF_INET, Prefixlen: 32, Index: 1},
		RtAttr:    syscall.RtAttr{Len: 8, Type: syscall.IFA_LOCAL},
		address:   [4]byte{127, 0, 0, 2},
	}
	request.NlMsghdr.Len = uint32(unsafe.Sizeof(request))
	bytes := (*[unsafe.Sizeof(request)]byte)(unsafe.Pointer(&request))[:]
	if err := syscall.Sendto(socket, bytes, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	if _, _, err := syscall.Recvfrom(socket, answer, 0); err != nil {
		return err
	}
	if code := *(*int32)(unsafe.Pointer(&answer[syscall.SizeofNlMsghdr])); code != 0 {
		return syscall.Errno(-code)
	}
	return nil
}

// Gives up all capabilities.
func capset() error {
	header := struct {
		version uint32
		pid     int32
	}{version: 0x20080522}
	var none [6]uint32
	_, _, code := syscall.RawSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0)
	if code != 0 {
		return code
	}
	return nil
}

// Starts a process in a separate user namespace. The process needs no capability outside this namespace.
func ownNamespace() error {
	command := exec.Command("/proc/self/exe", "chroot")
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{Size: 1}},
	}
	return command.Run()
}

// Starts many processes, one after the other, and prints their CPU time in milliseconds.
func forks() error {
	count, err := strconv.Atoi(os.Args[2])
	for i := 0; i < count && err == nil; i++ {
		err = exec.Command("/proc/self/exe", "nothing").Run()
	}
	var total time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		err = errors.Join(err, syscall.Getrusage(who, &usage))
		total += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	fmt.Println(total.Milliseconds())
	return err
}

// Executes a program whose path contains a forged line of the kernel's trace. The forged line is about a process of
// another container.
func forge() error {
	line := os.Args[2]
	folder := "/mnt/x\n" + line
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	path := folder + "/x"
	if err := os.WriteFile(path, program, 0o755); err != nil {
		return err
	}
	return exec.Command(path, "nothing").Run()
}

func closed(listener net.Listener, err error) error {
	if err != nil {
		return err
	}
	return listener.Close()
}

func seconds() time.Duration {
	count, _ := strconv.Atoi(os.Args[2])
	return time.Duration(count) * time.Second
}
