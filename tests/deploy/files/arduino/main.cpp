/* Stands in for the Arduino core: main. */
#include <Arduino.h>

int main()
{
    setup();
    return 0;
}
