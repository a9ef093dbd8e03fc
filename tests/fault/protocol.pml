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
 * With FOREIGN there is one writer less, and a foreign one (the Node package)
 * that takes no lock: it opens the log, loads `size` once, and stores frames
 * and `size` when it likes.  Writers look for it before a commit, and behind
 * the publish, before it counts.  With WATCHED the second look is at a watch
 * that has seen each opening since before the first one; without, it is at
 * whether the log is open, and at the bytes.  Faults with it:
 *
 *   NO_SECOND_LOOK   what is published counts
 *   NO_COMPARE       ... if nobody has the log open, whatever is in it
 *   WATCH_LATE       the watch begins behind the first look
 *
 * A frame is one slot; its payload takes two writes, so that a reader or a
 * crash can come in between.  A write carries its writer's number; frames
 * beyond `size` may hold anything, as leftovers of the killed do.
 */

#ifdef FOREIGN
#define WRITERS 1
#define READERS 0 /* they may see what the foreign writer tears */
#else
#define WRITERS 2
#define READERS 2
#endif
#define COMMITS 2 /* per writer */
#define SLOTS   4

#define NOBODY 255
#define STRANGER 99

byte size;            /* frames committed */
byte head[SLOTS];     /* the halves of each payload */
byte tail[SLOTS];
byte lock = NOBODY;   /* flock: goes with its holder */
bool is_open;         /* by the foreign writer, for writing */
bool watching;        /* openings from now on leave an event */
bool event;

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

/* The look for a foreign writer: entering ends unless there is none. */
inline look_first()
{
#ifdef FOREIGN
#if defined(WATCHED) && !defined(WATCH_LATE)
	atomic { watching = true; event = false };
#endif
	if
	:: is_open -> leave_lock(); break
	:: else
	fi;
#if defined(WATCHED) && defined(WATCH_LATE)
	atomic { watching = true; event = false };
#endif
#else
	skip
#endif
}

/* Behind the publish: takes back `done` where the frame is not there to stay.
 * The watch first, then the lease, then the bytes. */
inline look_again()
{
#if defined(FOREIGN) && !defined(NO_SECOND_LOOK)
	if
#ifdef WATCHED
	:: watching && !event -> skip
	:: else ->
#else
	:: true ->
#endif
		if
		:: is_open -> done = false
		:: else ->
#ifndef NO_COMPARE
			atomic {
				done = done && size > seen &&
				       head[seen] == me && tail[seen] == me
			}
#else
			skip
#endif
		fi
	fi
#else
	skip
#endif
}

/* Opens, loads `size`, stores, commits or does not, closes; and once more. */
proctype Foreign()
{
	byte cursor;
	byte turns;

	do
	:: turns < 2 ->
		atomic {
			is_open = true;
			event = event || watching
		};
		cursor = size;
		do
		:: cursor < SLOTS ->
			head[cursor] = STRANGER;
			tail[cursor] = STRANGER;
			cursor++;
			if
			:: true -> size = cursor
			:: true -> break
			fi
		:: true -> break
		od;
		is_open = false;
		turns++
	:: true -> break
	od
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
		look_first();
		seen = size;
#endif
		if
		:: seen >= SLOTS -> leave_lock(); break
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
		look_again();
		if
		:: done -> acknowledged[seen] = me
#ifdef FOREIGN
		:: else -> leave_lock(); break
#else
		:: else -> interfered++
#endif
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
		od;
#ifdef FOREIGN
		run Foreign()
#endif
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
