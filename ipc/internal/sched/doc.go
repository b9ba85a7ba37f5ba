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
// A ready worker is one of these, too: spare, which gets no calls until a worker is missing;
// stalled, which gets no calls until it answers its ping; in slow start, after crashes, with one
// call at first and few more with each that it answers. A draining worker gets no more calls.
//
// A slot has one current worker. Its replacement is the next worker of the slot until it is ready.
// An empty slot gets a worker at once, or after a pause if workers keep ending.
//
// A call acquires a place at a worker, or waits in the queue. It ends in one of these ways:
// Complete (its caller has the answer), Withdraw (the worker has not received it), or Abandon (its
// caller is gone), after which the place is taken until Release.
package sched
