/* service/resolver.c -- a letter-box under a lock that is never held for long.
 */
#include "service/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum box_state { BOX_EMPTY, BOX_ASKED, BOX_ASKING, BOX_ANSWERED };

struct resolver {
	pthread_mutex_t lock;
	pthread_cond_t asked;
	resolver_ask_fn *ask;
	enum box_state state;
	bool left; /* by the owner: the thread frees it */
	char host[256];
	struct resolver_answer answer;
};

static void ask_system(const char *host, struct resolver_answer *out)
{
	struct addrinfo wanted = {
		.ai_family = AF_INET,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found = NULL;
	int code = getaddrinfo(host, NULL, &wanted, &found);
	if (code != 0) {
		out->failed = gai_strerror(code);
		return;
	}
	for (const struct addrinfo *one = found;
		one != NULL && out->count < RESOLVER_ADDRESSES_MAX;
		one = one->ai_next) {
		struct sockaddr_in address;
		if (one->ai_addrlen != sizeof(address))
			continue;
		memcpy(&address, one->ai_addr, sizeof(address));
		if (inet_ntop(AF_INET, &address.sin_addr,
			    out->addresses[out->count],
			    RESOLVER_ADDRESS_SIZE) != NULL)
			out->count++;
	}
	freeaddrinfo(found);
	if (out->count == 0)
		out->failed = "it has no IPv4 address";
}

static void lock(struct resolver *resolver)
{
	int rc = pthread_mutex_lock(&resolver->lock);
	CHECK(rc == 0);
}

static void unlock(struct resolver *resolver)
{
	int rc = pthread_mutex_unlock(&resolver->lock);
	CHECK(rc == 0);
}

static void *work(void *argument)
{
	struct resolver *resolver = argument;
	lock(resolver);
	while (!resolver->left) {
		if (resolver->state != BOX_ASKED) {
			pthread_cond_wait(&resolver->asked, &resolver->lock);
			continue;
		}
		struct resolver_answer answer = {.tag = resolver->answer.tag};
		char host[sizeof(resolver->host)];
		memcpy(host, resolver->host, sizeof(host));
		resolver->state = BOX_ASKING;
		unlock(resolver);
		resolver->ask(host, &answer);
		lock(resolver);
		resolver->answer = answer;
		resolver->state = BOX_ANSWERED;
	}
	unlock(resolver);
	pthread_cond_destroy(&resolver->asked);
	pthread_mutex_destroy(&resolver->lock);
	free(resolver);
	return NULL;
}

void resolver_open(struct resolver **out, resolver_ask_fn *ask)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	pthread_t thread;
	CHECK(resolver != NULL);
	resolver->ask = ask == NULL ? ask_system : ask;
	int rc = pthread_mutex_init(&resolver->lock, NULL);
	CHECK(rc == 0);
	rc = pthread_cond_init(&resolver->asked, NULL);
	CHECK(rc == 0);
	rc = pthread_create(&thread, NULL, work, resolver);
	CHECK(rc == 0);
	rc = pthread_detach(thread);
	CHECK(rc == 0);
	*out = resolver;
}

void resolver_close(struct resolver **closed)
{
	struct resolver *resolver = *closed;
	*closed = NULL;
	if (resolver == NULL)
		return;
	lock(resolver);
	resolver->left = true;
	pthread_cond_signal(&resolver->asked);
	unlock(resolver);
}

bool resolver_ask(struct resolver *resolver, uint32_t tag, const char *host)
{
	CHECK(strlen(host) < sizeof(resolver->host));
	lock(resolver);
	bool free_now = resolver->state == BOX_EMPTY;
	if (free_now) {
		snprintf(resolver->host, sizeof(resolver->host), "%s", host);
		resolver->answer = (struct resolver_answer){.tag = tag};
		resolver->state = BOX_ASKED;
		pthread_cond_signal(&resolver->asked);
	}
	unlock(resolver);
	return free_now;
}

bool resolver_take(struct resolver *resolver, struct resolver_answer *out)
{
	lock(resolver);
	bool answered = resolver->state == BOX_ANSWERED;
	if (answered) {
		*out = resolver->answer;
		resolver->state = BOX_EMPTY;
	}
	unlock(resolver);
	return answered;
}
