// Checks histories of compare-and-set registers for linearizability, with Porcupine: operations as JSON on stdin, the
// verdict as JSON on stdout. The model of one register is a value and its version; see ../linearizable.ts for the shapes.
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

type operation struct {
	Index   int    `json:"index"`
	Client  int    `json:"client"`
	Key     string `json:"key"`
	Kind    string `json:"kind"`
	Version int    `json:"version"`
	Value   string `json:"value"`
	Outcome string `json:"outcome"`
	// Nanoseconds; what is unknown never returns.
	Call   int64 `json:"call"`
	Return int64 `json:"return"`
}

type register struct {
	version int
	value   string
}

type verdict struct {
	Key string `json:"key"`
	// Ok, Illegal or Unknown (out of time).
	Result string `json:"result"`
	// Indices of the operations in the longest order that could be found, when there is no whole one.
	Longest []int `json:"longest"`
}

func step(state, input, _ interface{}) (bool, interface{}) {
	now, op := state.(register), input.(operation)
	written := register{op.Version + 1, op.Value}
	switch {
	case op.Kind == "read":
		return now == register{op.Version, op.Value}, now
	case op.Outcome == "ok":
		return now.version == op.Version, written
	case op.Outcome == "fail":
		return now.version != op.Version, now
	case now.version == op.Version:
		// Unknown, and possible: it was done here. One that was never done finds its place after everything else.
		return true, written
	default:
		return true, now
	}
}

var model = porcupine.Model{
	Init: func() interface{} { return register{} },
	Step: step,
	DescribeOperation: func(input, _ interface{}) string {
		op := input.(operation)
		return fmt.Sprintf("%s %d: %s (%s)", op.Kind, op.Version, op.Value, op.Outcome)
	},
}

func check(key string, operations []operation, picture string) (verdict, error) {
	history := make([]porcupine.Operation, len(operations))
	for i, op := range operations {
		end := op.Return
		if op.Outcome == "unknown" {
			end = math.MaxInt64
		}
		history[i] = porcupine.Operation{ClientId: op.Client, Input: op, Call: op.Call, Return: end}
	}
	result, info := porcupine.CheckOperationsVerbose(model, history, 60*time.Second)
	answer := verdict{Key: key, Result: string(result), Longest: []int{}}
	if result != porcupine.Illegal {
		return answer, nil
	}
	for _, order := range info.PartialLinearizations()[0] {
		if len(order) > len(answer.Longest) {
			answer.Longest = nil
			for _, i := range order {
				answer.Longest = append(answer.Longest, operations[i].Index)
			}
		}
	}
	if picture == "" {
		return answer, nil
	}
	return answer, porcupine.VisualizePath(model, info, fmt.Sprintf("%s/%s.html", picture, key))
}

func run() error {
	var operations []operation
	if err := json.NewDecoder(os.Stdin).Decode(&operations); err != nil {
		return fmt.Errorf("stdin: %w", err)
	}
	picture := ""
	if len(os.Args) > 1 {
		picture = os.Args[1]
	}
	keys, byKey := []string{}, map[string][]operation{}
	for _, op := range operations {
		if _, seen := byKey[op.Key]; !seen {
			keys = append(keys, op.Key)
		}
		byKey[op.Key] = append(byKey[op.Key], op)
	}
	verdicts := []verdict{}
	for _, key := range keys {
		answer, err := check(key, byKey[key], picture)
		if err != nil {
			return err
		}
		verdicts = append(verdicts, answer)
	}
	return json.NewEncoder(os.Stdout).Encode(verdicts)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
