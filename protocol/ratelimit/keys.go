package ratelimit

import (
	"container/list"
	"crypto/sha256"

	"golang.org/x/time/rate"
)

// keys has the buckets of the callers that were seen last.
type keys struct {
	limit    Limit
	capacity int
	byKey    map[string]*list.Element
	order    list.List // of *entry, the last seen in front
}

type entry struct {
	key    string
	bucket *rate.Limiter
}

// maxKey is the size of the longest key that is not hashed, in bytes.
const maxKey = 64

// bucket returns the bucket of a key, nil if there is no limit.
func (k *keys) bucket(key string) *rate.Limiter {
	if len(key) > maxKey {
		sum := sha256.Sum256([]byte(key))
		key = string(sum[:])
	}
	if e := k.byKey[key]; e != nil {
		k.order.MoveToFront(e)
		return e.Value.(*entry).bucket
	}
	bucket := k.limit.bucket()
	if bucket == nil {
		return nil
	}
	if k.order.Len() >= k.capacity {
		oldest := k.order.Back()
		delete(k.byKey, oldest.Value.(*entry).key)
		k.order.Remove(oldest)
	}
	if k.byKey == nil {
		k.byKey = map[string]*list.Element{}
	}
	k.byKey[key] = k.order.PushFront(&entry{key, bucket})
	return bucket
}
