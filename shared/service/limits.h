/* service/limits.h -- what a service asks of the system before it begins. */
#ifndef PERCH_SERVICE_LIMITS_H
#define PERCH_SERVICE_LIMITS_H

/* As many descriptors as allowed up to 65536 (silent connections use them up),
 * and no core file with keys in it. */
void limits_set(void);

#endif
