using Orleans.Core;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Storage;

namespace HybridTrading.LocalOrleans.Tests;

public sealed class Ledger
{
    public int Balance { get; set; }

    public List<string> Lines { get; set; } = [];
}

public interface ILedgerGrain : IGrainWithStringKey
{
    Task Add(int amount, bool write = true);

    Task<(int Balance, int Lines, bool Exists, string? Etag)> Read(bool again = false);

    Task Clear();

    Task Leave();

    Task OverwriteBehindTheBack();
}

public sealed class LedgerGrain(
    [PersistentState("ledger")] IPersistentState<Ledger> ledger,
    [PersistentState("audit", "other")] IPersistentState<Ledger> audit,
    [PersistentState("ledger")] IPersistentState<Ledger> rival) : Grain, ILedgerGrain
{
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // State is there before the grain is.
        Assert.Equal(ledger.State.Balance, audit.State.Balance);
        return Task.CompletedTask;
    }

    public async Task Add(int amount, bool write)
    {
        ledger.State.Balance += amount;
        ledger.State.Lines.Add($"{amount}");
        audit.State.Balance += amount;
        if (!write) return;
        await ledger.WriteStateAsync();
        await audit.WriteStateAsync(CancellationToken.None);
    }

    public async Task<(int Balance, int Lines, bool Exists, string? Etag)> Read(bool again)
    {
        if (again) await ledger.ReadStateAsync();
        return (ledger.State.Balance, ledger.State.Lines.Count, ledger.RecordExists, ledger.Etag);
    }

    public async Task Clear()
    {
        await ledger.ClearStateAsync();
        await audit.ClearStateAsync();
    }

    public Task Leave()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public async Task OverwriteBehindTheBack()
    {
        await rival.ReadStateAsync();
        rival.State.Balance = 1000;
        await rival.WriteStateAsync();
        audit.State.Balance = 1000;
        await audit.WriteStateAsync();
    }
}

public interface IHomelessGrain : IGrainWithStringKey
{
    Task Touch();
}

public sealed class HomelessGrain([PersistentState("s", "nowhere")] IPersistentState<Ledger> state) : Grain, IHomelessGrain
{
    public Task Touch() => state.WriteStateAsync();
}

public sealed class StateTests
{
    [Fact]
    public async Task State_outlives_the_activation_that_wrote_it()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ILedgerGrain grain = silo.Grain<ILedgerGrain>();
        Assert.Equal((0, 0, false, null), await grain.Read());
        await grain.Add(5);
        await grain.Add(7);
        await grain.Add(100, write: false);
        Assert.Equal(112, (await grain.Read()).Balance);
        await grain.Leave();
        var (balance, lines, exists, etag) = await grain.Read();
        Assert.Equal((12, 2, true), (balance, lines, exists));
        Assert.NotNull(etag);
        Assert.Equal(0, (await silo.Grain<ILedgerGrain>("b").Read()).Balance);
    }

    [Fact]
    public async Task Reading_again_drops_what_was_not_written_and_clearing_removes_the_record()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ILedgerGrain grain = silo.Grain<ILedgerGrain>();
        await grain.Add(5);
        await grain.Add(100, write: false);
        Assert.Equal(5, (await grain.Read(again: true)).Balance);
        await grain.Clear();
        Assert.Equal((0, 0, false, null), await grain.Read());
        await grain.Add(3);
        await grain.Leave();
        Assert.Equal(3, (await grain.Read()).Balance);
    }

    [Fact]
    public async Task A_conflict_reaches_the_caller_changes_nothing_and_drops_the_activation()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ILedgerGrain grain = silo.Grain<ILedgerGrain>();
        await grain.Add(5);
        await grain.OverwriteBehindTheBack();
        InconsistentStateException conflict = await Assert.ThrowsAsync<InconsistentStateException>(() => grain.Add(1));
        Assert.NotEqual(conflict.StoredEtag, conflict.CurrentEtag);
        // The next activation reads what is stored.
        Assert.Equal(1000, (await grain.Read()).Balance);
        await grain.Add(1);
        Assert.Equal(1001, (await grain.Read()).Balance);
    }

    [Fact]
    public async Task A_missing_provider_is_named()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        BadProviderConfigException missing = await Assert.ThrowsAsync<BadProviderConfigException>(() => silo.Grain<IHomelessGrain>().Touch());
        Assert.Contains("'nowhere'", missing.Message);
        Assert.Contains(nameof(HomelessGrain), missing.Message);
    }
}
