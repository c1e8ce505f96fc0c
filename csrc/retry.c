/*
 * retry.c - attempt, verdict, Retry-After, clock -> wait this long, or stop.
 */
#include "retry.h"

#include <stdio.h>
#include <string.h>

#define FIRST_BACKOFF 0.2
#define LONGEST_BACKOFF 5.0
#define SHORTEST_READ_PAUSE 0.05

static double backoff_after(int times)
{
    double backoff = FIRST_BACKOFF;
    for (int i = 1; i < times && backoff < LONGEST_BACKOFF; i++)
        backoff *= 2;
    return backoff < LONGEST_BACKOFF ? backoff : LONGEST_BACKOFF;
}

double retry_wait(const struct retry *retry)
{
    if (!kind_row(retry->kind)->retried || retry->attempts_made >= retry->attempts_most)
        return RETRY_STOP;
    double wait = retry->retry_after >= 0 ? retry->retry_after : retry->random * backoff_after(retry->attempts_made);
    return wait < retry->left ? wait : RETRY_STOP;
}

double retry_read_wait(int reads_made, double retry_after, double left)
{
    double wait = backoff_after(reads_made + 1);
    if (wait > left / 2)
        wait = left / 2;
    if (wait < retry_after)
        wait = retry_after;
    return wait >= SHORTEST_READ_PAUSE && wait < left ? wait : RETRY_STOP;
}

/* Digits and nothing else, as a number; negative if it is something else. */
static double read_digits(const char *from, size_t length)
{
    double number = 0;
    if (length == 0)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (from[i] < '0' || from[i] > '9')
            return -1;
        number = number * 10 + (from[i] - '0');
    }
    return number;
}

/* Days from 1970-01-01 to a day of the Gregorian calendar, years being counted from March so that leap days are last. */
static double days_since_epoch(int year, int month, int day)
{
    int shifted = month > 2 ? year : year - 1;
    int in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int leap_days = shifted / 4 - shifted / 100 + shifted / 400;
    return 365.0 * shifted + leap_days + in_year - 719468;
}

/* The century that brings two digits nearest to now. */
static int century_of(int two_digits, time_t now)
{
    double years = 1970 + (double)now / (365.2425 * 86400);
    int century = (int)(years / 100) * 100;
    if (century + two_digits > years + 50)
        return century - 100;
    return century + two_digits < years - 50 ? century + 100 : century;
}

/* The three forms of RFC 9110, 5.6.7; negative if it is none of them. */
static double read_date(const char *value, time_t now)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month_name[4] = "", rest[2] = "";
    int year = 0, month, day, hour, minute, second, end = 0;
    /* Of so few digits no number is out of range. NOLINTBEGIN(cert-err34-c) */
    if (sscanf(value, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &day, month_name, &year, &hour, &minute,
               &second, &end) != 6 || value[end] || end == 0) {
        end = 0;
        if (sscanf(value, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &day, month_name, &year, &hour, &minute,
                   &second, &end) == 6 && end > 0 && !value[end])
            year += century_of(year, now);
        else if (sscanf(value, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%1s", month_name, &day, &hour, &minute,
                        &second, &year, rest) != 6)
            return -1;
    }
    /* NOLINTEND(cert-err34-c) */
    const char *found = strlen(month_name) == 3 ? strstr(months, month_name) : NULL;
    if (!found || (found - months) % 3 != 0 || year < 1970 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 60)
        return -1;
    month = (int)(found - months) / 3 + 1;
    return days_since_epoch(year, month, day) * 86400 + hour * 3600.0 + minute * 60.0 + second;
}

static double read_policy(const char *policy)
{
    size_t capacity_length = strspn(policy, "0123456789");
    const char *window = policy + capacity_length;
    double capacity = read_digits(policy, capacity_length), seconds = -1;
    window += strspn(window, " ;");
    if (strncmp(window, "w=", 2) == 0)
        seconds = read_digits(window + 2, strspn(window + 2, "0123456789"));
    return capacity >= 1 && seconds >= 0 ? seconds / capacity : -1;
}

double retry_after(const struct reply *reply, enum kind kind, time_t now)
{
    const char *value = reply_header(reply, HEADER_RETRY_AFTER);
    double seconds = read_digits(value, strlen(value));
    if (seconds < 0) {
        double date = read_date(value, now);
        if (date >= 0)
            seconds = date > (double)now ? date - (double)now : 0;
    }
    if (seconds < 0 && kind == KIND_RATE_LIMITED) {
        seconds = read_policy(reply_header(reply, HEADER_RATELIMIT_POLICY));
        value = reply_header(reply, HEADER_RATELIMIT_RESET);
        if (seconds < 0)
            seconds = read_digits(value, strlen(value));
    }
    return seconds;
}
