/*
 * The protocol of commit, crash, several writers under the lock, and readers,
 * for the model checker Spin.  tests/fault/protocol.sh runs it, as it is and
 * with each of the seeded faults, which must be found:
 *
 *   PUBLISH_FIRST    `size` moves before the payload is written
 *   NO_LOCK          writers do not take the lock
 *   PLAIN_STORE      ... and publish by a store instead of compare-and-swap
 *   KEEP_LOCK        a killed writer's lock stays
 *   STALE_SIZE       `size` is read before the lock is taken
 *
 * A frame is one slot; its payload takes two writes, so that a reader or a
 * crash can come in between.  A write carries its writer's number; frames
 * beyond `size` may hold anything, as leftovers of the killed do.
 */

#define WRITERS 2
#define READERS 2
#define COMMITS 2 /* per writer */
#define SLOTS   4

#define NOBODY 255

byte size;            /* frames committed */
byte head[SLOTS];     /* the halves of each payload */
byte tail[SLOTS];
byte lock = NOBODY;   /* flock: goes with its holder */

/* What the outside knows: who was told that a slot is theirs. */
byte acknowledged[SLOTS];
byte interfered;      /* commits that were given up */

#define CRASH if :: true :: goto killed fi

inline take_lock()
{
#ifndef NO_LOCK
	atomic { lock == NOBODY -> lock = me }
#else
	skip
#endif
}

inline leave_lock()
{
#ifndef NO_LOCK
	lock = NOBODY
#else
	skip
#endif
}

inline publish()
{
#ifdef PLAIN_STORE
	atomic { size = seen + 1; done = true }
#else
	atomic {
		if
		:: size == seen -> size = seen + 1; done = true
		:: else -> done = false
		fi
	}
#endif
}

proctype Writer(byte me)
{
	byte seen;
	byte commits;
	bool done;

	do
	:: commits < COMMITS ->
#ifdef STALE_SIZE
		seen = size;
#endif
		take_lock();
		CRASH;
#ifndef STALE_SIZE
		seen = size;
#endif
		if
		:: seen == SLOTS -> leave_lock(); break
		:: else
		fi;
#ifdef PUBLISH_FIRST
		publish();
		CRASH;
		head[seen] = me;
		CRASH;
		tail[seen] = me;
#else
		head[seen] = me;
		CRASH;
		tail[seen] = me;
		CRASH;
		publish();
#endif
		CRASH;
		if
		:: done -> acknowledged[seen] = me
		:: else -> interfered++
		fi;
		CRASH;
		leave_lock();
		commits++
	:: else -> break
	od;
	goto end;
killed:
#ifndef KEEP_LOCK
	/* The kernel lets go of a lock that its holder takes to the grave. */
	if
	:: lock == me -> lock = NOBODY
	:: else
	fi;
#endif
end:
	skip
}

proctype Reader()
{
	byte cursor;
	byte end;

	do
	:: end = size;
		do
		:: cursor < end ->
			/* A committed frame is whole, and one writer's. */
			assert(head[cursor] != 0);
			assert(head[cursor] == tail[cursor]);
			cursor++
		:: else -> break
		od;
		/* `size` never goes back. */
		assert(size >= end)
	:: true -> break
	od
}

/* At the end, whatever was acknowledged is in the log, and the lock is free
 * for whoever comes next. */
init
{
	byte i;

	atomic {
		i = 0;
		do
		:: i < WRITERS -> i++; run Writer(i)
		:: else -> break
		od;
		i = 0;
		do
		:: i < READERS -> i++; run Reader()
		:: else -> break
		od
	}
	(_nr_pr == 1);
	i = 0;
	do
	:: i < SLOTS ->
		if
		:: acknowledged[i] != 0 ->
			assert(i < size);
			assert(head[i] == acknowledged[i]);
			assert(tail[i] == acknowledged[i])
		:: else
		fi;
		i++
	:: else -> break
	od;
	assert(lock == NOBODY);
	/* Under the lock nobody moves `size` but its holder. */
	assert(interfered == 0)
}
