using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Concurrency;
using Orleans.Hosting;
using Orleans.Runtime;

namespace HybridTrading.LocalOrleans.Tests;

public interface IFilteredGrain : IGrainWithStringKey
{
    Task<int> Double(int value);

    Task<int> DoubleThrough(IFilteredGrain other, int value);

    Task<string?> Principal();

    Task<string?> PrincipalThrough(IFilteredGrain other);

    Task SetPrincipal(string value);

    [OneWay]
    Task Tell(string gate);

    Task Fail();
}

public sealed class FilteredGrain(Probe probe) : Grain, IFilteredGrain, IIncomingGrainCallFilter
{
    public Task Invoke(IIncomingGrainCallContext context)
    {
        probe.Note($"grain filter {context.MethodName}");
        return context.Invoke();
    }

    public Task<int> Double(int value) => Task.FromResult(2 * value);

    public Task<int> DoubleThrough(IFilteredGrain other, int value) => other.Double(value);

    public Task<string?> Principal() => Task.FromResult((string?)RequestContext.Get("principal"));

    public async Task<string?> PrincipalThrough(IFilteredGrain other)
    {
        string? seen = await other.Principal();
        await other.SetPrincipal("callee's own");
        return $"{seen}, then {RequestContext.Get("principal")}";
    }

    public Task SetPrincipal(string value)
    {
        RequestContext.Set("principal", value);
        return Task.CompletedTask;
    }

    public Task Tell(string gate)
    {
        probe.Open(gate);
        return Task.CompletedTask;
    }

    public Task Fail() => throw new DomainException("filtered");
}

public sealed class NotingIncomingFilter(Probe probe) : IIncomingGrainCallFilter
{
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        probe.Note($"in {context.InterfaceName.Split('.')[^1]}.{context.MethodName} of {context.TargetId} from {context.SourceId}");
        Assert.Same(context.Grain, context.TargetContext.GrainInstance);
        Assert.Equal(typeof(FilteredGrain), context.ImplementationMethod.DeclaringType);
        Assert.Equal(typeof(IFilteredGrain), context.InterfaceMethod.DeclaringType);
        await context.Invoke();
        probe.Note($"result {context.Result ?? "none"}");
    }
}

public sealed class FilterTests
{
    [Fact]
    public async Task Filters_stand_around_calls_in_order()
    {
        await using TestSilo silo = await TestSilo.StartAsync(b => b
            .AddIncomingGrainCallFilter<NotingIncomingFilter>()
            .AddIncomingGrainCallFilter(async context =>
            {
                await context.Invoke();
                if (context.Result is int number) context.Result = number + 1;
            })
            .AddOutgoingGrainCallFilter(context =>
            {
                if (context.MethodName == "Double") context.Request.SetArgument(0, (int)context.Request.GetArgument(0)! * 10);
                return context.Invoke();
            }));
        IFilteredGrain a = silo.Grain<IFilteredGrain>("a");
        Assert.Equal(62, await a.DoubleThrough(silo.Grain<IFilteredGrain>("b"), 3));
        Assert.Equal(
            [
                "in IFilteredGrain.DoubleThrough of filtered/a from sys.client/hosted-local", "grain filter DoubleThrough",
                "in IFilteredGrain.Double of filtered/b from filtered/a", "grain filter Double",
                "result 61", "result 62",
            ],
            silo.Probe.Log);
    }

    [Fact]
    public async Task A_filter_may_refuse_answer_or_try_again()
    {
        int calls = 0;
        await using TestSilo silo = await TestSilo.StartAsync(b => b
            .AddIncomingGrainCallFilter(context =>
            {
                calls++;
                if (context.MethodName == "Principal") throw new UnauthorizedAccessException("not yours");
                if (context.MethodName != "Double") return context.Invoke();
                context.Result = -1;
                return Task.CompletedTask;
            })
            .AddOutgoingGrainCallFilter(async context =>
            {
                try
                {
                    await context.Invoke();
                }
                catch (DomainException)
                {
                    await context.Invoke();
                }
            }));
        IFilteredGrain grain = silo.Grain<IFilteredGrain>();
        Assert.Equal(-1, await grain.Double(4));
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => grain.Principal());
        Assert.Equal(2, calls);
        Assert.Equal("filtered", (await Assert.ThrowsAsync<DomainException>(grain.Fail)).Message);
        Assert.Equal(4, calls);
    }

    [Fact]
    public async Task Timer_ticks_and_reminders_pass_filters_as_calls_of_their_own()
    {
        ConcurrentQueue<string> seen = new();
        await using TestSilo silo = await TestSilo.StartAsync(b => b.AddIncomingGrainCallFilter(async context =>
        {
            await context.Invoke();
            seen.Enqueue($"{context.InterfaceName.Split('.')[^1]}.{context.MethodName} of {context.TargetId} from {context.SourceId}");
        }));
        await silo.Grain<ITimerGrain>("t").Start("tick", TimeSpan.FromMinutes(1), Timeout.InfiniteTimeSpan);
        await silo.Grain<IReminderGrain>("r").Register("daily", TimeSpan.FromMinutes(1), TimeSpan.FromDays(1));
        seen.Clear();
        silo.Time.Advance(TimeSpan.FromMinutes(1));
        await Task.WhenAll(silo.Probe.Gate("tick 1"), silo.Probe.Gate("daily 1"));
        // A request behind each of them proves that they have ended.
        await silo.Grain<ITimerGrain>("t").Ticks();
        await silo.Grain<IReminderGrain>("r").Names();
        Assert.Contains("IGrainTimerInvoker.InvokeCallbackAsync of timer/t from timer/t", seen);
        Assert.Contains("IRemindable.ReceiveReminder of reminder/r from sys.svc.user.reminders/local", seen);
    }

    [Fact]
    public async Task One_way_calls_pass_filters_too()
    {
        TaskCompletionSource<string> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestSilo silo = await TestSilo.StartAsync(b => b
            .AddOutgoingGrainCallFilter(context => context.Invoke())
            .AddIncomingGrainCallFilter(context =>
            {
                seen.TrySetResult(context.MethodName);
                return context.Invoke();
            }));
        Task told = silo.Grain<IFilteredGrain>().Tell("heard");
        Assert.True(told.IsCompletedSuccessfully);
        await silo.Probe.Gate("heard");
        Assert.Equal("Tell", await seen.Task);
    }

    [Fact]
    public async Task The_request_context_flows_by_value()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        RequestContext.Set("principal", "anna");
        RequestContext.Set("other", 1);
        Assert.Equal("anna, then anna", await silo.Grain<IFilteredGrain>("a").PrincipalThrough(silo.Grain<IFilteredGrain>("b")));
        Assert.Equal("anna", RequestContext.Get("principal"));
        Assert.True(RequestContext.Remove("principal"));
        Assert.False(RequestContext.Remove("principal"));
        Assert.Equal(["other"], RequestContext.Keys);
        Assert.Null(await silo.Grain<IFilteredGrain>("a").Principal());
        RequestContext.Clear();
        Assert.Empty(RequestContext.Entries);
        // What a request set does not stay in the grain.
        await silo.Grain<IFilteredGrain>("a").SetPrincipal("left behind");
        Assert.Null(await silo.Grain<IFilteredGrain>("a").Principal());
    }

    [Fact]
    public async Task An_outgoing_filter_sets_the_context_of_its_call_only()
    {
        await using TestSilo silo = await TestSilo.StartAsync(b => b.AddOutgoingGrainCallFilter(context =>
        {
            RequestContext.Set("principal", context.SourceContext is { } source ? $"{source.GrainId}" : "client");
            return context.Invoke();
        }));
        Assert.Equal("filtered/a, then client", await silo.Grain<IFilteredGrain>("a").PrincipalThrough(silo.Grain<IFilteredGrain>("b")));
        Assert.Null(RequestContext.Get("principal"));
    }
}
