/* wallet/qr.c -- a QR code in a terminal, black on white whatever its colours
 * are: two modules a character, one above the other.
 */
#include "pass.h"

#include <qrencode.h>

enum { QUIET = 4 }; /* white around it, as the standard wants */

static bool is_black(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return false;
	return (code->data[y * code->width + x] & 1) != 0;
}

bool qr_draw(FILE *file, const uint8_t *bytes, size_t size)
{
	static const char *const blocks[] = {" ", "▄", "▀", "█"};
	QRcode *code = QRcode_encodeData((int)size, bytes, 0, QR_ECLEVEL_L);

	if (code == NULL)
		return false;
	for (int y = -QUIET; y < code->width + QUIET; y += 2) {
		fputs("\033[30;107m", file);
		for (int x = -QUIET; x < code->width + QUIET; x++) {
			int above = is_black(code, x, y);
			int below = is_black(code, x, y + 1);

			fputs(blocks[2 * above + below], file);
		}
		fputs("\033[0m\n", file);
	}
	QRcode_free(code);
	return fflush(file) == 0;
}
