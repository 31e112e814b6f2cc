/* sim/queue.c -- a binary heap on (time, sequence). */
#include "queue.h"

#include <stdlib.h>

#include "base/check.h"

static bool is_before(const struct plan *a, const struct plan *b)
{
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us;
	return a->sequence < b->sequence;
}

void queue_clear(struct queue *queue)
{
	queue->count = 0;
	queue->sequence = 0;
}

void queue_free(struct queue *queue)
{
	free(queue->items);
	*queue = (struct queue){0};
}

void queue_put(struct queue *queue, struct plan plan)
{
	if (queue->count == queue->room) {
		queue->room = queue->room ? 2 * queue->room : 1024;
		queue->items = realloc(
			queue->items, queue->room * sizeof(queue->items[0]));
		CHECK(queue->items);
	}
	plan.sequence = queue->sequence++;
	size_t i = queue->count++;
	while (i > 0 && is_before(&plan, &queue->items[(i - 1) / 2])) {
		queue->items[i] = queue->items[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	queue->items[i] = plan;
}

bool queue_take(struct queue *queue, struct plan *out)
{
	if (queue->count == 0)
		return false;
	*out = queue->items[0];
	struct plan last = queue->items[--queue->count];
	size_t i = 0;
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= queue->count)
			break;
		if (child + 1 < queue->count &&
			is_before(
				&queue->items[child + 1], &queue->items[child]))
			child++;
		if (!is_before(&queue->items[child], &last))
			break;
		queue->items[i] = queue->items[child];
		i = child;
	}
	queue->items[i] = last;
	return true;
}
