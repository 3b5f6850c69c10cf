package import BERT
internal import Files
package import Kernels
package import Learning
package import Runs
package import Transport

/// A worker's identity, sent when it joins.
package struct WorkerIdentity: Codable, Sendable, Equatable {
    /// Version of the program; the same for coordinator and workers.
    package var version: String
    /// What it speaks; nil: a build that did not say.
    package var protocols: ProtocolNumbers?
    /// Digest of a fixed training step at the sizes of the run's model: equal ones give equal bits.
    package var fingerprint: String
    /// ``Kernels/Arithmetic/number``; nil: a build without one.
    package var arithmetic: Int?
    /// Anything else that determines its bits, see ``Kernels/Arithmetic/description``.
    package var arithmeticName: String?
    /// Equal for processes that can share memory.
    package var host: String
    /// Name for messages.
    package var hostName: String
    package var processID: Int32
    package var threads: Int
    /// The number assigned at its start; ranks follow this order, then the order of joining for workers without one.
    package var number: Int?
    /// The public key that it proves on its links; nil if they are plain.
    package var key: PublicKey?
    /// Ranks of the engine's job that it belongs to; nil if no engine placed it.
    package var worldSize: Int?

    package init(
        version: String, fingerprint: String, arithmetic: Int?, arithmeticName: String?, host: String, hostName: String,
        processID: Int32, threads: Int,
        number: Int? = nil, worldSize: Int? = nil, key: PublicKey? = nil, protocols: ProtocolNumbers? = .current
    ) {
        self.version = version
        self.protocols = protocols
        self.fingerprint = fingerprint
        self.arithmetic = arithmetic
        self.arithmeticName = arithmeticName
        self.host = host
        self.hostName = hostName
        self.processID = processID
        self.threads = threads
        self.number = number
        self.key = key
        self.worldSize = worldSize
    }
}

/// A worker's state of a run, as the answer to a call that nothing may follow before the generation is formed.
package struct HeldState: Codable, Sendable, Equatable {
    /// The run's ``RunDescription/id``; nil without state.
    package var run: UInt64?
    /// Last step whose update it made; nil without state.
    package var committedStep: Int?
    /// Step whose reduced gradient it keeps, not yet committed.
    package var keptStep: Int?
    /// The commit of its last update, if known.
    package var commit: Commit?
    /// The state's hash, the step included; nil without state.
    package var hash: UInt64?

    package init(
        run: UInt64? = nil, committedStep: Int? = nil, keptStep: Int? = nil, commit: Commit? = nil, hash: UInt64? = nil
    ) {
        self.run = run
        self.committedStep = committedStep
        self.keptStep = keptStep
        self.commit = commit
        self.hash = hash
    }

    /// Whether it is the state of run `run` after step `step`.
    package func has(_ run: UInt64, step: Int) -> Bool { self.run == run && committedStep == step }
}

/// A worker that has left its generation and waits for the next one.
package struct PreparedWorker: Codable, Sendable, Equatable {
    /// Its endpoint for the other ranks.
    package var peer: MeshPeer
    /// Its state, which does not change before the next generation is formed.
    package var held: HeldState

    package init(peer: MeshPeer, held: HeldState) {
        self.peer = peer
        self.held = held
    }
}

/// Everything a worker needs to know about a run except weights and samples.
package struct RunDescription: Codable, Sendable, Equatable {
    package var id: UInt64
    package var shape: BERTShape
    package var head: Head
    /// The head of a source task that is trained together with the target task.
    package var source: SourceHead?
    /// Weights of the target task's errors.
    package var loss: LossOptions
    /// The frozen parameters in the run's present stage.
    package var freeze: [String]
    package var lora: LoRA?
    /// Of the encoder's products.
    package var precision: Precision
    package var laneCount: Int
    package var seed: UInt64
    /// Whether samples come with token types.
    package var hasTypes: Bool
    /// Whether activations are recomputed instead of kept.
    package var recompute: Bool

    package init(
        id: UInt64, shape: BERTShape, head: Head, source: SourceHead? = nil, loss: LossOptions = LossOptions(),
        freeze: [String],
        lora: LoRA? = nil, precision: Precision = .float32, laneCount: Int, seed: UInt64, hasTypes: Bool,
        recompute: Bool = false
    ) {
        self.id = id
        self.shape = shape
        self.head = head
        self.source = source
        self.loss = loss
        self.freeze = freeze
        self.lora = lora
        self.precision = precision
        self.laneCount = laneCount
        self.seed = seed
        self.hasTypes = hasTypes
        self.recompute = recompute
    }
}

/// One worker's assignment in a new generation.
package struct Formation: Codable, Sendable, Equatable {
    package var run: RunDescription
    /// Workers in rank order, and the coordinator last.
    package var roster: MeshRoster
    package var rank: Int
    /// Of each worker; no lanes mean standby.
    package var lanes: [Range<Int>]
    /// Equal numbers share memory.
    package var hosts: [Int]
    /// Rank that sends the state, the coordinator's being the number of workers; nil if the worker has it.
    package var stateFrom: Int?
    /// Ranks that this worker sends the state to.
    package var stateTo: [Int]
    /// Last committed step. A gradient kept for a later one is dropped: that step was not committed.
    package var step: Int
    /// The commit of a step whose gradient this worker keeps.
    package var commit: Commit?
    /// The commit of ``step``, for every worker that has its state.
    package var newest: Commit?
    /// Seconds within which all links must be established.
    package var linkSeconds: Int

    package init(
        run: RunDescription, roster: MeshRoster, rank: Int, lanes: [Range<Int>], hosts: [Int], stateFrom: Int?,
        stateTo: [Int], step: Int,
        commit: Commit?, newest: Commit? = nil, linkSeconds: Int = 30
    ) {
        self.linkSeconds = linkSeconds
        self.run = run
        self.roster = roster
        self.rank = rank
        self.lanes = lanes
        self.hosts = hosts
        self.stateFrom = stateFrom
        self.stateTo = stateTo
        self.step = step
        self.commit = commit
        self.newest = newest
    }

    package var workers: Int { roster.peers.count - 1 }
}

/// The order to compute a step up to the reduced gradient.
package struct StepCommand: WordCoded, Sendable, Equatable {
    package var step: Int
    /// The commit of the step before, if it was not yet sent.
    package var commit: Commit?
    /// Global batches in the step.
    package var batches: Int
    /// Lanes without samples.
    package var emptyLanes: [Int]
    /// Bit pattern of the target task's weight / its normalizer.
    package var lossScale: UInt32
    /// Global batches of the source task in the step, and the bit pattern of its 1 / normalizer.
    package var sourceBatches: Int
    package var sourceScale: UInt32

    package init(
        step: Int, commit: Commit?, batches: Int, emptyLanes: [Int], lossScale: UInt32, sourceBatches: Int = 0,
        sourceScale: UInt32 = 0
    ) {
        self.step = step
        self.commit = commit
        self.batches = batches
        self.sourceBatches = sourceBatches
        self.sourceScale = sourceScale
        self.emptyLanes = emptyLanes
        self.lossScale = lossScale
    }

    package var words: [UInt64] {
        var words: [UInt64] = [UInt64(lossScale), UInt64(sourceScale)]
        for number in [step, batches, sourceBatches] { words.append(integer: number) }
        words.append(row: emptyLanes.map { UInt64(bitPattern: Int64($0)) })
        if let commit { words += commit.words }
        return words
    }

    package init?(words: [UInt64]) {
        var reader = WordReader(words)
        guard let lossScale = reader.next().flatMap(UInt32.init(exactly:)),
            let sourceScale = reader.next().flatMap(UInt32.init(exactly:)),
            let step = reader.nextInteger(), let batches = reader.nextInteger(),
            let sourceBatches = reader.nextInteger(),
            let emptyLanes = reader.nextRow()
        else { return nil }
        var commit: Commit?
        if !reader.isAtEnd {
            guard let given = Commit(&reader), reader.isAtEnd else { return nil }
            commit = given
        }
        self.init(
            step: step, commit: commit, batches: batches, emptyLanes: emptyLanes.map { Int(truncatingIfNeeded: $0) },
            lossScale: lossScale,
            sourceBatches: sourceBatches, sourceScale: sourceScale)
    }
}

/// The report that a worker has finished its part of a step and waits for the commit.
package struct StepReady: WordCoded, Sendable, Equatable {
    package var step: Int
    /// Bit patterns of the loss sum of each own lane.
    package var losses: [UInt64]
    /// The same of the source task.
    package var sourceLosses: [UInt64]
    /// Digest of the sample ids and positions actually computed, of each own lane.
    package var digests: [UInt64]
    /// Bit pattern of the global gradient norm.
    package var norm: UInt64
    /// Hash of weights and optimizer state that the step started from.
    package var state: UInt64
    /// Seconds, as in ``WorkerShare``.
    package var compute: Double
    package var exchange: Double
    package var wait: Double
    /// Bytes sent to other workers, or read from their memory.
    package var bytes: Int

    package init(
        step: Int, losses: [UInt64], sourceLosses: [UInt64], digests: [UInt64], norm: UInt64, state: UInt64,
        compute: Double, exchange: Double, wait: Double,
        bytes: Int = 0
    ) {
        self.bytes = bytes
        self.step = step
        self.losses = losses
        self.sourceLosses = sourceLosses
        self.digests = digests
        self.norm = norm
        self.state = state
        self.compute = compute
        self.exchange = exchange
        self.wait = wait
    }

    package var words: [UInt64] {
        var words = [norm, state, compute.bitPattern, exchange.bitPattern, wait.bitPattern]
        for number in [step, bytes] { words.append(integer: number) }
        for row in [losses, sourceLosses, digests] { words.append(row: row) }
        return words
    }

    package init?(words: [UInt64]) {
        var reader = WordReader(words)
        guard let norm = reader.next(), let state = reader.next(), let compute = reader.next(),
            let exchange = reader.next(), let wait = reader.next(),
            let step = reader.nextInteger(), let bytes = reader.nextInteger(), let losses = reader.nextRow(),
            let sourceLosses = reader.nextRow(),
            let digests = reader.nextRow(), reader.isAtEnd
        else { return nil }
        self.init(
            step: step, losses: losses, sourceLosses: sourceLosses, digests: digests, norm: norm, state: state,
            compute: Double(bitPattern: compute),
            exchange: Double(bitPattern: exchange), wait: Double(bitPattern: wait), bytes: bytes)
    }
}

/// A chunk of an evaluation and its score.
package struct ScoredChunk: Codable, Sendable, Equatable {
    package var chunk: Int
    package var score: ChunkScore

    package init(chunk: Int, score: ChunkScore) {
        self.chunk = chunk
        self.score = score
    }
}
