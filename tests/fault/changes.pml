/*
 * The protocol of rotating, growing, compare-and-append and metadata, for the
 * model checker Spin; tests/fault/protocol.sh runs it beside protocol.pml, as it
 * is and with each of the seeded faults, which must be found.
 *
 * Without RECORD: two writers, a follower, a process that rotates and one that
 * grows.  A log that is rotated is another file from then on; the name leads to
 * one file at a time.  Writers may keep the lock from one commit to the next.
 * All but the follower may be killed between any two steps.  With LINK, the
 * names change places by a link and a renaming.  Faults:
 *
 *   NO_NAME_CHECK      writers do not look at the name under the lock
 *   CHECK_BEFORE_LOCK  they look at it before they have the lock
 *   ROTATE_UNLOCKED    the one that rotates takes no lock
 *   LEAVE_EARLY        the follower does not read on once the name has changed
 *   GROW_LATE          a frame is published before the file is longer
 *
 * With RECORD: two processes that each append the answer to what they have
 * read, on condition that the log ends there, with a record that says where it
 * will end.  Of two records they overwrite the one that does not say where the
 * log ends.  Faults with it:
 *
 *   NO_EXPECT          the condition is not looked at
 *   RECORD_LATE        the record is written behind the publish
 *   RECORD_SAME        the record that is right is overwritten
 */

#define NOBODY 255

#define CRASH if :: true :: goto killed fi

#ifndef RECORD

#define FILES   2
#define SLOTS   3
#define WRITERS 2
#define COMMITS 2

byte name;                  /* the file that the name leads to */
byte lock[FILES] = NOBODY;
byte size[FILES];
byte capacity[FILES] = 2;   /* slots that the file has */
byte slot[6];               /* of FILES files, SLOTS each: whose frame it is */

/* What the outside knows. */
byte acknowledged[6];
bool rotated[FILES];
byte end[FILES];            /* when it was rotated */
bool left[FILES];           /* by the follower, for ever */
byte left_at[FILES];
byte files = 1;

proctype Writer(byte me)
{
	byte file = 0;
	byte seen;
	byte commits;
	bool kept;

	do
	:: commits < COMMITS ->
		if
		:: kept -> skip
		:: else ->
#ifdef CHECK_BEFORE_LOCK
			if
			:: name != file -> file = name
			:: else
			fi;
#endif
			atomic { lock[file] == NOBODY -> lock[file] = me };
			CRASH;
#if !defined(CHECK_BEFORE_LOCK) && !defined(NO_NAME_CHECK)
			/* The log is opened by its name, under the lock. */
			if
			:: name != file ->
				lock[file] = NOBODY;
				file = name;
				goto next
			:: else
			fi;
#endif
		fi;
		seen = size[file];
#ifndef GROW_LATE
		if
		:: seen >= capacity[file] ->
			lock[file] = NOBODY;
			break
		:: else
		fi;
#else
		if
		:: seen >= SLOTS -> lock[file] = NOBODY; break
		:: else
		fi;
#endif
		slot[file * SLOTS + seen] = me;
		CRASH;
		size[file] = seen + 1;
		CRASH;
		acknowledged[file * SLOTS + seen] = me;
		commits++;
		if
		:: true -> kept = true
		:: true -> kept = false; lock[file] = NOBODY
		fi;
next:		skip
	:: else -> break
	od;
killed:
	if
	:: lock[file] == me -> lock[file] = NOBODY
	:: else
	fi
}

/* The new file is whole before it has a name, so its making is no step. */
proctype Rotator(byte me)
{
	byte file = name;

#ifndef ROTATE_UNLOCKED
	atomic { lock[file] == NOBODY -> lock[file] = me };
#endif
	CRASH;
	if
	:: name == file && files < FILES ->
#ifdef LINK
		/* The second name is nobody's business. */
		CRASH;
#endif
		atomic {
			name = files;
			files++;
			rotated[file] = true;
			end[file] = size[file]
		};
		CRASH
	:: else
	fi;
killed:
	if
	:: lock[file] == me -> lock[file] = NOBODY
	:: else
	fi
}

proctype Grower(byte me)
{
	byte file = name;

	atomic { lock[file] == NOBODY -> lock[file] = me };
	CRASH;
	if
	:: name == file && capacity[file] < SLOTS -> capacity[file]++
	:: else
	fi;
	CRASH;
killed:
	if
	:: lock[file] == me -> lock[file] = NOBODY
	:: else
	fi
}

proctype Follower()
{
	byte file;
	byte cursor;
	byte known;
	byte named;

	do
	:: known = size[file];
		/* What is committed lies in the file. */
		assert(known <= capacity[file]);
		do
		:: cursor < known ->
			assert(slot[file * SLOTS + cursor] != 0);
			cursor++
		:: else -> break
		od;
		named = name;
		if
		:: named != file ->
#ifndef LEAVE_EARLY
			known = size[file];
			assert(known >= cursor);
			cursor = known;
#endif
			left[file] = true;
			left_at[file] = cursor;
			file = named;
			cursor = 0
		:: else
		fi
	:: true -> break
	od
}

init
{
	byte i;

	atomic {
		run Writer(1);
		run Writer(2);
		run Rotator(3);
#ifndef LINK
		run Grower(4);
#endif
		run Follower()
	}
	(_nr_pr == 1);
	i = 0;
	do
	:: i < FILES * SLOTS ->
		if
		:: acknowledged[i] != 0 ->
			assert(slot[i] == acknowledged[i]);
			assert(i % SLOTS < size[i / SLOTS])
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0;
	do
	:: i < FILES ->
		/* Nothing was appended behind the rotation ... */
		assert(!rotated[i] || size[i] == end[i]);
		/* ... so who left then has read everything. */
		assert(!left[i] || left_at[i] == size[i]);
		assert(lock[i] == NOBODY);
		i++
	:: else -> break
	od
}

#else

#define SLOTS   4
#define COMMITS 2

byte lock = NOBODY;
byte size;
byte basis[SLOTS];    /* of each frame: the end that its writer had read */
/* Two records: where the log ends, in two halves, so that one may be torn. */
byte first[2];
byte second[2];

inline write_record(k, value)
{
	first[k] = value;
	CRASH;
	second[k] = value;
	CRASH
}

proctype Recorder(byte me)
{
	byte expected;
	byte commits;
	byte k;

	do
	:: commits < COMMITS ->
		expected = size;
		if
		:: expected >= SLOTS -> break
		:: else
		fi;
		atomic { lock == NOBODY -> lock = me };
		CRASH;
#ifndef NO_EXPECT
		if
		:: size != expected -> lock = NOBODY; goto next
		:: else
		fi;
#else
		if
		:: size >= SLOTS -> lock = NOBODY; break
		:: else
		fi;
#endif
		k = 0;
		if
		:: first[0] == size && second[0] == size -> k = 1
		:: else
		fi;
#ifdef RECORD_SAME
		k = 1 - k;
#endif
#ifndef RECORD_LATE
		write_record(k, expected + 1);
#endif
		basis[size] = expected;
		CRASH;
		size = size + 1;
		CRASH;
#ifdef RECORD_LATE
		write_record(k, expected + 1);
#endif
		lock = NOBODY;
		commits++;
next:		skip
	:: else -> break
	od;
killed:
	if
	:: lock == me -> lock = NOBODY
	:: else
	fi
}

init
{
	byte i;

	atomic {
		run Recorder(1);
		run Recorder(2)
	}
	(_nr_pr == 1);
	/* Each frame answers what is before it. */
	do
	:: i < size -> assert(basis[i] == i); i++
	:: else -> break
	od;
	/* And a whole record says where the log ends. */
	assert((first[0] == size && second[0] == size) ||
	       (first[1] == size && second[1] == size));
	assert(lock == NOBODY)
}

#endif
