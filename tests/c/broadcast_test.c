/* broadcast_test.c: broadcasts: one sends, and everybody gets the latest.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "channels.h"

CW_BROADCAST_TYPE(int_news, ints, int)

TEST(everybody_gets_the_latest)
{
    int_news news = int_news_new();
    int value = 0;
    ASSERT_EQ(int_news_value(news, &value), CW_ESTATE);
    ints early = int_news_subscribe(news);
    ASSERT_EQ(ints_try_receive(early, &value), CW_EAGAIN);
    ASSERT_EQ(int_news_send(news, 1), CW_OK);
    ASSERT_EQ(int_news_send(news, 2), CW_OK);
    ASSERT_EQ(int_news_value(news, &value), CW_OK);
    ASSERT_EQ(value, 2);
    ints late = int_news_subscribe(news);
    expect_elements(early, 2, 2);
    expect_elements(late, 2, 2);
    ASSERT_EQ(ints_try_receive(early, &value), CW_EAGAIN);
    cw_channel_cancel(early.channel, NULL, NULL);
    ASSERT_EQ(int_news_send(news, 3), CW_OK);
    ASSERT_EQ(ints_try_receive(early, &value), CW_ERECVCLOSED);
    ASSERT(cw_broadcast_close(news.broadcast, NULL));
    ASSERT(!cw_broadcast_close(news.broadcast, NULL));
    ASSERT(cw_broadcast_is_closed(news.broadcast));
    expect_elements(late, 3, 3);
    ASSERT_EQ(ints_try_receive(late, &value), CW_ERECVCLOSED);
    ASSERT_EQ(int_news_send(news, 4), CW_ESENDCLOSED);
    ASSERT_EQ(int_news_value(news, &value), CW_ESTATE);
    ints after = int_news_subscribe(news);
    ASSERT(cw_channel_is_closed_for_receive(after.channel));
    cw_channel_release(after.channel);
    cw_channel_release(early.channel);
    cw_broadcast_release(news.broadcast);
    cw_channel_release(late.channel);
}

TEST(the_last_handle_closes_a_broadcast)
{
    int_news news = int_news_new();
    ints one = int_news_subscribe(news), other = int_news_subscribe(news);
    ASSERT(cw_broadcast_retain(news.broadcast) == news.broadcast);
    ASSERT_EQ(int_news_send(news, 1), CW_OK);
    cw_broadcast_release(news.broadcast);
    ASSERT(!cw_channel_is_closed_for_send(one.channel));
    cw_channel_cancel(other.channel, NULL, NULL);
    cw_broadcast_release(news.broadcast);
    ASSERT(cw_channel_is_closed_for_send(one.channel));
    expect_elements(one, 1, 1);
    cw_channel_release(one.channel);
    cw_channel_release(other.channel);
    cw_broadcast_release(NULL);
}

CW_COROUTINE(subscriber, ints, cw_none, int got;)
{
    CW_BEGIN(self);
    CW_RECEIVE(self, ints, self->arg, &self->got);
    MARK(self->got);
    CW_RECEIVE(self, ints, self->arg, &self->got);
    ASSERT(false);
    CW_END(self);
}

SCENARIO(cancelling_a_broadcast, int_news news; ints channel; cw_job * job;)
{
    CW_BEGIN(self);
    self->news = int_news_new();
    self->channel = int_news_subscribe(self->news);
    self->job = cw_async(NULL, subscriber, self->channel);
    CW_YIELD(self);
    ASSERT_EQ(int_news_send(self->news, 1), CW_OK);
    CW_YIELD(self);
    cw_broadcast_cancel(self->news.broadcast, NULL);
    CW_JOIN(self, self->job);
    ASSERT_EQ(cw_error_code(cw_job_error(self->job)), CW_ECANCELED);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    cw_broadcast_release(self->news.broadcast);
    CW_END(self);
}
