/* service/signals.h -- SIGINT and SIGTERM as something to wait on. */
#ifndef PERCH_SERVICE_SIGNALS_H
#define PERCH_SERVICE_SIGNALS_H

/* Before any thread is started: blocks both in every thread and returns a
 * descriptor that is readable when one came. SIGPIPE is ignored. */
int signals_open(void);

/* The signal that came, or 0. */
int signals_take(int fd);

#endif
