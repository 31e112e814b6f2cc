/* service/words.c -- a table of sentences, found by the English one. */
#include "service/words.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *english, *japanese;
} sentences[] = {
	{"missing", "指定されていません"},
	{"must be given", "指定してください"},
	{"no such word", "この語は使えません"},
	{"one word too many", "語が一つ多すぎます"},
	{"no such option", "このようなオプションはありません"},
	{"it needs a value", "値が必要です"},
	{"is there twice", "2回書かれています"},
	{"nothing belongs below it; begin the next line without spaces",
		"この下には何も書けません。次の行は空白なしで始めてください"},
	{"not a text of at most 64 KiB", "64KiB以下のテキストではありません"},
	{"not ZPL: each line is \"name = value\", without spaces before it",
		"ZPLではありません。各行は「名前 = "
		"値」の形で、行頭に空白を入れないでください"},
	{"No such file or directory", "そのようなファイルはありません"},
	{"Permission denied", "許可がありません"},
	{"Is a directory", "ディレクトリです"},
	{"say 1 or 0, or yes or no", "1か0、またはyesかnoと書いてください"},
	{"say debug, info, warn or error",
		"debug、info、warn、errorのどれかを書いてください"},
	{"say star or mesh", "starかmeshと書いてください"},
	{"say ordered or pow", "orderedかpowと書いてください"},
	{"say always, demand or never",
		"always、demand、neverのどれかを書いてください"},
	{"say en or ja", "enかjaと書いてください"},
	{"no such engine", "このような合意方式はありません"},
	{"no node of the genesis has this name",
		"この名前のノードはgenesisにありません"},
	{"this key is not in the genesis, so its endpoints must be given",
		"この鍵はgenesisにないので、アドレスを指定してください"},
};

bool words_japanese(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);
		if (value != NULL && value[0] != '\0')
			return strncmp(value, "ja", 2) == 0;
	}
	return false;
}

const char *words_of(const char *english)
{
	if (!words_japanese())
		return english;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		if (strcmp(sentences[i].english, english) == 0)
			return sentences[i].japanese;
	}
	return english;
}
