// A program for containers. The program prints its capabilities, and then starts other programs, as a shell would.
//
//	probe [program...]                  prints /proc/self/status, and the output of each program
//	probe grant FILE MASK effective|permitted   sets FILE's capabilities; MASK in hexadecimal (setcap(8))
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

func main() {
	if len(os.Args) == 5 && os.Args[1] == "grant" {
		if err := grant(os.Args[2], os.Args[3], os.Args[4] == "effective"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Printf("== %s\n%s", os.Args[0], status)
	for _, program := range os.Args[1:] {
		output, err := exec.Command(program).CombinedOutput()
		if err != nil {
			output = []byte(fmt.Sprintf("== %s\nerror: %v\n", program, err))
		}
		os.Stdout.Write(output)
	}
}

// Writes struct vfs_cap_data, revision 2 (linux/include/uapi/linux/capability.h).
func grant(file, hexMask string, effective bool) error {
	mask, err := strconv.ParseUint(hexMask, 16, 64)
	if err != nil {
		return err
	}
	magic := uint32(0x02000000)
	if effective {
		magic |= 1
	}
	attribute := make([]byte, 20)
	binary.LittleEndian.PutUint32(attribute[0:], magic)
	binary.LittleEndian.PutUint32(attribute[4:], uint32(mask))
	binary.LittleEndian.PutUint32(attribute[12:], uint32(mask>>32))
	return syscall.Setxattr(file, "security.capability", attribute, 0)
}
