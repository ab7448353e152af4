// Prints the kstatus of Kubernetes objects. Flux uses kstatus to wait for the objects that Flux has applied. Each input
// line is an object in JSON, and each output line is the status of one object.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func main() {
	objects := json.NewDecoder(os.Stdin)
	for objects.More() {
		object := &unstructured.Unstructured{}
		if err := objects.Decode(object); err != nil {
			log.Fatal(err)
		}
		result, err := status.Compute(object)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(result.Status)
	}
}
