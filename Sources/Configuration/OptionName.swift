internal import Kernels

/// The meaning of an option's name: this program's own names, and those of Hugging Face's Trainer and of its scripts.
package enum OptionName: Sendable {
    case own(TrainingConfiguration.Key)
    /// The same option under another trainer's name; `value` converts the other trainer's value to this program's, nil
    /// if there is none.
    case other(TrainingConfiguration.Key, value: @Sendable (String) -> String?)
    /// There is no counterpart; the text says what to do instead.
    case hint(String)

    /// - Parameter name: without leading dashes; underscores count as dashes.
    package init?(_ name: String) {
        let name = Self.dashed(name)
        if let key = TrainingConfiguration.Key(rawValue: name) {
            self = .own(key)
        } else if let key = Self.renamed[name] {
            self = .other(key) { Self.value($0, of: name) }
        } else if let hint = Self.hints[name] {
            self = .hint(hint)
        } else {
            return nil
        }
    }

    /// A name with dashes in place of underscores.
    package static func dashed(_ name: String) -> String { name.replacing("_", with: "-") }

    /// docs/options.md has the same table for readers.
    package static let renamed: [String: TrainingConfiguration.Key] = [
        "bf16": .precision,
        "early-stopping-patience": .patience,
        "eval-steps": .evalEvery,
        "gradient-accumulation-steps": .accumulate,
        "gradient-checkpointing": .recompute,
        "hidden-dropout-prob": .dropout,
        "label-column-name": .labelColumn,
        "label-smoothing-factor": .labelSmoothing,
        "lora-r": .loraRank,
        "lr": .learningRate,
        "lr-scheduler-type": .schedule,
        "max-seq-length": .maxLength,
        "metric-for-best-model": .metric,
        "model-name-or-path": .model,
        "num-epochs": .epochs,
        "num-train-epochs": .epochs,
        "num-warmup-steps": .warmupSteps,
        "optim": .optimizer,
        "output-dir": .output,
        "save-steps": .checkpointEvery,
        "save-total-limit": .keep,
        "test-file": .test,
        "text-column-name": .textColumn,
        "train-file": .train,
        "validation-file": .validation,
        "warmup-ratio": .warmupSteps,
    ]

    package static let hints: [String: String] = [
        "adam-beta1": "betas and epsilon are those of Trainer's defaults: remove it",
        "adam-beta2": "betas and epsilon are those of Trainer's defaults: remove it",
        "adam-epsilon": "betas and epsilon are those of Trainer's defaults: remove it",
        "attention-probs-dropout-prob": "--dropout sets it together with the dropout of hidden states: give that",
        "auto-find-batch-size": "a batch is cut into lanes that fit: remove it, or lower --batch-size",
        "cache-dir": "models lie in the cache that HF_HUB_CACHE names: set that variable",
        "config-name": "--model names configuration, tokenizer and weights together: remove it",
        "data-seed": "one --seed decides the order of samples too: remove it",
        "dataloader-drop-last": "each sample counts once per epoch, the last batch may be smaller: remove it",
        "dataloader-num-workers": "the data are read before the first step: remove it",
        "dataloader-pin-memory": "everything runs on CPUs here: remove it",
        "dataset-config-name": "data are files here: name them with --train, --validation and --test",
        "dataset-name": "data are files here: name them with --train, --validation and --test",
        "ddp-backend": "workers exchange gradients by themselves, see --exchange of apus work: remove it",
        "deepspeed": "apus launch starts workers on this machine or, with --cluster FILE, on several: remove it",
        "device": "everything runs on CPUs here: remove it",
        "disable-tqdm": "--progress plain has no line that is redrawn, --progress off no progress at all",
        "do-eval": "--validation FILE is scored after each epoch: remove it",
        "do-lower-case": "the model folder's tokenizer files decide: remove it",
        "do-predict": "apus predict labels texts with a trained model, --test FILE scores one at the end: remove it",
        "do-train": "apus train and apus launch always train: remove it",
        "early-stopping-threshold": "--patience counts every improvement, however small: remove it",
        "eval-accumulation-steps": "the memory of an evaluation does not grow with its samples: remove it",
        "eval-batch-size": "the batch size of an evaluation does not change its results: remove it",
        "eval-strategy": "--validation FILE is scored after each epoch, and every --eval-every STEPS: remove it",
        "evaluation-strategy": "--validation FILE is scored after each epoch, and every --eval-every STEPS: remove it",
        "fp16": "weights are float32 here: remove it, or compute products in bf16 with --precision bf16 or bf16-amx",
        "fsdp": "apus launch starts workers on this machine or, with --cluster FILE, on several: remove it",
        "full-determinism": "all runs are deterministic: remove it",
        "greater-is-better": "this is fixed for each --metric: remove it",
        "group-by-length": "no padding is computed, whatever the lengths: remove it",
        "hub-token": "set the variable HF_TOKEN",
        "ignore-mismatched-sizes": "a head for other labels is always newly initialized: remove it",
        "label-names": "name the columns of the labels with --label-column",
        "line-by-line": "each line of a .txt file is a text: remove it",
        "load-best-model-at-end": "the best model is always kept, in model-best of the run folder: remove it",
        "local-rank": "ranks come from torchrun's or mpirun's variables, to apus work: remove it",
        "logging-dir": "the folder of the run, --output, has metrics.jsonl and tensorboard/: remove it",
        "logging-first-step": "metrics.jsonl in the run folder has a line for each step: remove it",
        "logging-steps": "metrics.jsonl in the run folder has a line for each step: remove it",
        "logging-strategy": "metrics.jsonl in the run folder has a line for each step: remove it",
        "max-eval-samples": "all rows are used: give a shorter file",
        "max-predict-samples": "all rows are used: give a shorter file",
        "max-train-samples": "all rows are used: give a shorter file, or end the run with --max-steps",
        "metric-name": "--metric decides which model is the best, all figures are computed: give that, or remove it",
        "mlm-probability": "15 % of the tokens are hidden: remove it",
        "model-revision": "write the revision after the name, --model NAME@REVISION",
        "no-cuda": "everything runs on CPUs here: remove it",
        "num-labels": "the labels of the data decide: remove it",
        "overwrite-cache": "the data are read again by each run: remove it",
        "overwrite-output-dir":
            "a folder with a run is never overwritten: name another with --output, or resume the run with --resume",
        "pad-to-max-length": "no padding is computed: remove it",
        "per-device-eval-batch-size": "the batch size of an evaluation does not change its results: remove it",
        "per-device-train-batch-size":
            "the batch is global here, never per worker: give --batch-size, this value times the workers",
        "per-gpu-eval-batch-size": "the batch size of an evaluation does not change its results: remove it",
        "per-gpu-train-batch-size":
            "the batch is global here, never per worker: give --batch-size, this value times the workers",
        "preprocessing-num-workers": "the data are read before the first step: remove it",
        "push-to-hub": "upload the model folder with 'hf upload' (Python's huggingface_hub) after the run: remove it",
        "remove-unused-columns": "other columns are not read: remove it",
        "report-to": "the folder of the run has metrics.jsonl, and tensorboard/ for TensorBoard: remove it",
        "resume-from-checkpoint":
            "give --resume with the run's --output: it resumes from the newest complete checkpoint",
        "run-name": "a run has the name of its folder: give --output",
        "save-only-model": "--keep 0 leaves no checkpoint after the end of the run: give that, or remove it",
        "save-strategy": "a checkpoint is written after each epoch, and every --checkpoint-every STEPS: remove it",
        "task-name": "data are files here: name them with --train and --validation, and the kind of task with --task",
        "text-column-names": "--text-column names one column, --pair-column a second one: give these",
        "tf32": "weights are float32 here: remove it, or compute products in bf16 with --precision bf16 or bf16-amx",
        "token": "set the variable HF_TOKEN",
        "tokenizer-name": "--model names configuration, tokenizer and weights together: remove it",
        "torch-compile": "the program is compiled already: remove it",
        "train-batch-size":
            "the batch is global here, never per worker: give --batch-size, this value times the workers",
        "trust-remote-code": "no code of a model folder is ever run: remove it",
        "use-cpu": "everything runs on CPUs here: remove it",
        "use-fast-tokenizer": "the model folder's tokenizer files decide: remove it",
    ]

    private static func value(_ given: String, of name: String) -> String? {
        switch name {
        case "warmup-ratio":
            guard let share = Double(given), share >= 0, share < 1 else { return nil }
            return given
        case "bf16": return Bool(given.lowercased()).map { ($0 ? Precision.bf16 : .float32).rawValue }
        case "lr-scheduler-type": return given == "constant_with_warmup" ? "constant" : given
        case "optim": return given.hasPrefix("adamw") ? "adamw" : given
        case "metric-for-best-model":
            let plain = given.hasPrefix("eval_") ? String(given.dropFirst(5)) : given
            return dashed(
                plain == "f1" || plain == "f1_macro" ? "macro-f1" : plain == "matthews_correlation" ? "matthews" : plain
            )
        default: return given
        }
    }
}
