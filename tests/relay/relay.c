/* tests/relay/relay.c -- the wires between the nodes of a cluster on one
 * machine, to be cut and slowed.
 *
 * A node connects to each other one at an address that only this pair uses;
 * here the bytes go on to where the other one listens. A cut wire is silent, as
 * a real one is: nothing is refused and nothing is closed, it only does not
 * arrive. What TCP then does, and libzmq, is what it does anywhere.
 *
 *	perch-relay DIR
 *
 * DIR/links: a line a wire, "FROM TO ADDRESS:PORT ADDRESS:PORT" (listen, go on
 * to). DIR/rules, read again upon SIGHUP: the first line is a number, which is
 * written to DIR/applied when the others hold: "cut A B", "delay A B MS" (each
 * way), both ways round. Needs no rights.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	WIRES_MAX = 16 * 15,
	CALLS_MAX = 2048,
	CHUNKS_MAX = 32, /* on their way, one direction */
	CHUNK_SIZE = 16384,
	POLL_MAX = 1 + WIRES_MAX + 2 * CALLS_MAX,
};

struct wire {
	char from[40], to[40];
	struct sockaddr_in listens, goes_on;
	int fd;
	bool cut;
	int64_t delay_ms;
};

/* What one end said and the other has not taken yet, oldest first. */
struct stream {
	size_t first, count;
	struct chunk {
		int64_t due;
		size_t size, sent;
		char *bytes;
	} chunks[CHUNKS_MAX];
	bool ended;
};

/* A connection over a wire: end 0 called, end 1 was called. */
struct call {
	struct wire *wire;
	int fds[2];               /* 1: -1 as long as the wire is cut */
	struct stream streams[2]; /* from this end */
};

static struct wire wires[WIRES_MAX];
static size_t wire_count;
static struct call calls[CALLS_MAX];
static size_t call_count;

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "perch-relay: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- files ---- */

static bool read_address(struct sockaddr_in *out, char *text)
{
	char *colon = strchr(text, ':');
	if (colon == NULL)
		return false;
	*colon = '\0';
	*out = (struct sockaddr_in){.sin_family = AF_INET};
	char *end;
	unsigned long port = strtoul(colon + 1, &end, 10);
	out->sin_port = htons((uint16_t)port);
	return *end == '\0' && port > 0 && port <= 65535 &&
	       inet_pton(AF_INET, text, &out->sin_addr) == 1;
}

static void read_wires(void)
{
	char line[300], listens[64], goes_on[64];
	FILE *file = fopen("links", "r");
	if (file == NULL)
		fail("links");
	while (fgets(line, sizeof(line), file) != NULL) {
		struct wire *wire = &wires[wire_count];
		if (wire_count == WIRES_MAX ||
			sscanf(line, "%39s %39s %63s %63s", wire->from,
				wire->to, listens, goes_on) != 4 ||
			!read_address(&wire->listens, listens) ||
			!read_address(&wire->goes_on, goes_on)) {
			errno = EINVAL;
			fail(line);
		}
		wire_count++;
	}
	fclose(file);
}

static bool joins(const struct wire *wire, const char *a, const char *b)
{
	return (strcmp(wire->from, a) == 0 && strcmp(wire->to, b) == 0) ||
	       (strcmp(wire->from, b) == 0 && strcmp(wire->to, a) == 0);
}

static void apply_rule(const char *line)
{
	char verb[16], a[40], b[40];
	long ms = 0;
	if (sscanf(line, "%15s %39s %39s %ld", verb, a, b, &ms) < 3)
		return;
	for (size_t i = 0; i < wire_count; i++) {
		if (!joins(&wires[i], a, b))
			continue;
		if (strcmp(verb, "cut") == 0)
			wires[i].cut = true;
		else if (strcmp(verb, "delay") == 0)
			wires[i].delay_ms = ms;
	}
}

static void read_rules(void)
{
	char line[300], number[64] = "";
	FILE *file = fopen("rules", "r");
	if (file == NULL)
		return;
	for (size_t i = 0; i < wire_count; i++) {
		wires[i].cut = false;
		wires[i].delay_ms = 0;
	}
	if (fgets(number, sizeof(number), file) != NULL) {
		while (fgets(line, sizeof(line), file) != NULL)
			apply_rule(line);
	}
	fclose(file);
	file = fopen("applied.new", "w");
	if (file == NULL || fputs(number, file) < 0 || fclose(file) != 0 ||
		rename("applied.new", "applied") != 0)
		fail("applied");
}

/* ---- calls ---- */

static void listen_all(void)
{
	int on = 1;
	for (size_t i = 0; i < wire_count; i++) {
		struct wire *wire = &wires[i];
		wire->fd = socket(
			AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		setsockopt(wire->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(wire->fd, (struct sockaddr *)&wire->listens,
			    sizeof(wire->listens)) != 0 ||
			listen(wire->fd, 16) != 0)
			fail("listen");
	}
}

static void end_call(struct call *call)
{
	for (size_t end = 0; end < 2; end++) {
		struct stream *stream = &call->streams[end];
		if (call->fds[end] >= 0)
			close(call->fds[end]);
		for (size_t i = 0; i < stream->count; i++)
			free(stream->chunks[(stream->first + i) % CHUNKS_MAX]
					.bytes);
	}
	*call = calls[--call_count];
}

static void speak_at_once(int fd)
{
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Who calls again over a wire that is cut has given the last call up. */
static void begin_call(struct wire *wire)
{
	int fd = accept4(wire->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	for (size_t i = call_count; i-- > 0;) {
		if (calls[i].wire == wire && calls[i].fds[1] < 0)
			end_call(&calls[i]);
	}
	speak_at_once(fd);
	if (call_count == CALLS_MAX) {
		close(fd);
		return;
	}
	calls[call_count] = (struct call){.wire = wire, .fds = {fd, -1}};
	call_count++;
}

/* The other end is called when the wire is whole. False: nobody is there. */
static bool go_on(struct call *call)
{
	if (call->fds[1] >= 0 || call->wire->cut)
		return true;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	speak_at_once(fd);
	if (connect(fd, (struct sockaddr *)&call->wire->goes_on,
		    sizeof(call->wire->goes_on)) != 0 &&
		errno != EINPROGRESS) {
		close(fd);
		return false;
	}
	call->fds[1] = fd;
	return true;
}

/* False: the call is over. */
static bool hear(struct call *call, size_t end, int64_t now)
{
	struct stream *stream = &call->streams[end];
	if (stream->count == CHUNKS_MAX)
		return true;
	char *bytes = malloc(CHUNK_SIZE);
	if (bytes == NULL)
		fail("memory");
	ssize_t size = read(call->fds[end], bytes, CHUNK_SIZE);
	if (size <= 0)
		free(bytes);
	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	if (size == 0) {
		stream->ended = true;
		return true;
	}
	size_t last = (stream->first + stream->count++) % CHUNKS_MAX;
	stream->chunks[last] = (struct chunk){.bytes = bytes,
		.size = (size_t)size,
		.due = now + call->wire->delay_ms};
	return true;
}

static bool tell(struct call *call, size_t end, int64_t now)
{
	struct stream *stream = &call->streams[end];
	int fd = call->fds[1 - end];
	while (stream->count > 0 && fd >= 0) {
		struct chunk *chunk = &stream->chunks[stream->first];
		if (chunk->due > now)
			return true;
		ssize_t size = send(fd, chunk->bytes + chunk->sent,
			chunk->size - chunk->sent, MSG_NOSIGNAL);
		if (size < 0)
			return errno == EAGAIN || errno == EINTR ||
			       errno == ENOTCONN;
		chunk->sent += (size_t)size;
		if (chunk->sent < chunk->size)
			return true;
		free(chunk->bytes);
		stream->first = (stream->first + 1) % CHUNKS_MAX;
		stream->count--;
	}
	return !stream->ended;
}

static short wants(const struct call *call, size_t end, int64_t now)
{
	const struct stream *from = &call->streams[end];
	const struct stream *to = &call->streams[1 - end];
	short events = 0;
	if (from->count < CHUNKS_MAX && !from->ended)
		events |= POLLIN;
	if (to->count > 0 && to->chunks[to->first].due <= now)
		events |= POLLOUT;
	return events;
}

/* ---- the loop ---- */

static struct pollfd items[POLL_MAX];

/* A wire that is cut is not listened to: not even its end is heard. */
static size_t gather(int64_t now, int *timeout)
{
	size_t count = 1;
	int64_t due = INT64_MAX;
	for (size_t i = 0; i < wire_count; i++)
		items[count++] = (struct pollfd){wires[i].fd, POLLIN, 0};
	for (size_t i = 0; i < call_count; i++) {
		struct call *call = &calls[i];
		for (size_t end = 0; end < 2; end++) {
			const struct stream *stream = &call->streams[end];
			short events = wants(call, end, now);
			bool deaf = call->wire->cut || events == 0;
			items[count++] = (struct pollfd){
				deaf ? -1 : call->fds[end], events, 0};
			if (call->wire->cut || stream->count == 0)
				continue;
			if (stream->chunks[stream->first].due > now &&
				stream->chunks[stream->first].due < due)
				due = stream->chunks[stream->first].due;
		}
	}
	*timeout = due == INT64_MAX ? -1 : (int)(due - now);
	return count;
}

static void serve(size_t calls_polled, int64_t now)
{
	for (size_t i = calls_polled; i-- > 0;) {
		struct call *call = &calls[i];
		struct pollfd *polled = &items[1 + wire_count + 2 * i];
		bool alive = true;
		if (call->wire->cut)
			continue;
		for (size_t end = 0; end < 2 && alive; end++) {
			if (polled[end].revents & (POLLIN | POLLHUP | POLLERR))
				alive = hear(call, end, now);
		}
		for (size_t end = 0; end < 2 && alive; end++)
			alive = tell(call, end, now);
		if (!alive)
			end_call(call);
	}
}

static int open_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		fail("signalfd");
	return fd;
}

int main(int argc, char **argv)
{
	struct signalfd_siginfo info;
	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: perch-relay DIR; its files are told at "
				"the top of tests/relay/relay.c\n");
		return 2;
	}
	if (chdir(argv[1]) != 0)
		fail(argv[1]);
	items[0] = (struct pollfd){open_signals(), POLLIN, 0};
	read_wires();
	listen_all();
	read_rules();
	for (;;) {
		int timeout;
		size_t polled = call_count;
		size_t count = gather(now_ms(), &timeout);
		if (poll(items, (nfds_t)count, timeout) < 0 && errno != EINTR)
			fail("poll");
		serve(polled, now_ms());
		for (size_t i = 0; i < wire_count; i++) {
			if (items[1 + i].revents & POLLIN)
				begin_call(&wires[i]);
		}
		for (size_t i = call_count; i-- > 0;) {
			if (!go_on(&calls[i]))
				end_call(&calls[i]);
		}
		if ((items[0].revents & POLLIN) == 0)
			continue;
		if (read(items[0].fd, &info, sizeof(info)) != sizeof(info) ||
			info.ssi_signo != SIGHUP)
			return 0;
		read_rules();
	}
}
