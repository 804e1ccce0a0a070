/* Stands in for the Arduino core: setup, then loop until standard input ends. */
#include <Arduino.h>

int main()
{
    setup();
    for (int c = getchar(); c != EOF; c = getchar()) {
        ungetc(c, stdin);
        loop();
    }
    return 0;
}
