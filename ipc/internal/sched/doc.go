// Package sched decides which worker gets which call, and when workers are started, stopped,
// pinged, replaced and killed. A [Scheduler] does no I/O, starts no goroutine and reads no clock:
// its owner tells it what has happened and when, and carries out the actions of Tick.
//
// A worker goes through these states, never back:
//
//	           Ready         Drain, Checked, recycling, rollout, Shutdown
//	starting ─────────▶ ready ─────────────────────────────────────────▶ draining
//	   │ │                │                                                ▲ │
//	   │ └────────────────┼────── rollback, Shutdown: Kill ────────────────┘ │ no callers: Stop
//	   │                  │                                                  │ no pong: Kill
//	   │ Exited           │ Exited                                    Exited │ DrainTimeout: CancelCalls, Stop
//	   └──────────────────┴─────────────────▶ exited ◀───────────────────────┘
//
// A ready worker can be spare, stalled or in slow start. A spare worker gets no calls until
// another worker is missing. A stalled worker gets no calls until it answers its ping. In slow
// start, after crashes, a worker has one call at first, and a few more with each answer. A
// draining worker gets no more calls.
//
// A slot has one current worker. Its replacement is the next worker of the slot until it is ready.
// An empty slot gets a worker at once, or after a pause if workers keep ending.
//
// A call acquires a place at a worker, or waits in the queue (its caller in Pool.wait, ipc/call.go).
// It ends in one of these ways: Complete (its caller has the answer), Withdraw (the worker has not
// received it), or Abandon (its caller is gone), after which the place is taken until Release.
package sched
