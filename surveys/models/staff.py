"""Those who work here: teams, users with one role, absences with a cover, keys for machines."""

from __future__ import annotations

from datetime import date, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from surveys.models.roles import Role, grants


def known_time_zone(name: str) -> None:
    if name and name not in available_timezones():
        raise ValidationError(f"“{name}” is not a time zone. Use a name such as Europe/Berlin.")


class Team(models.Model):
    """Those who work together. Some teams take what is nobody's: see surveys/loop/own.py."""

    name = models.CharField(max_length=80, unique=True)
    takes_unowned = models.BooleanField(
        "takes tasks of accounts without an owner",
        default=False,
        help_text="They are dealt out by themselves: each to whoever is here and has the fewest "
        "open ones.",
    )
    segments = ArrayField(
        models.CharField(max_length=60),
        default=list,
        blank=True,
        help_text="Of these segments only, separated by commas. Empty: whatever no other team "
        "takes.",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Notices(models.TextChoices):
    """How a colleague learns of a new task of theirs."""

    AT_ONCE = "at_once", "At once, and in the digest of the morning"
    DIGEST = "digest", "In the digest of the morning only"
    NEVER = "never", "Not at all"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields) -> User:
        """A colleague; without a password they must set one by the link they are mailed."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields) -> User:
        return self.create_user(email, password, **{"role": Role.ADMINISTRATOR, **fields})

    def get_by_natural_key(self, email: str | None) -> User:
        return self.get(email=(email or "").strip().lower())


class User(AbstractBaseUser):
    """A colleague. What they may do follows from their one role (roles.py) and nothing else."""

    email = models.EmailField("e-mail", unique=True, max_length=254)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.ACCOUNT_MANAGER)
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="members"
    )
    time_zone = models.CharField(
        max_length=40,
        blank=True,
        validators=[known_time_zone],
        help_text="Empty: the company's own time zone.",
    )
    notices = models.CharField(
        "mails about new tasks",
        max_length=7,
        choices=Notices.choices,
        default=Notices.AT_ONCE,
        help_text="What is escalated is always mailed at once.",
    )
    is_active = models.BooleanField("active", default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager()
    USERNAME_FIELD = EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="user_email_is_lower_case", condition=Q(email=Lower("email"))
            ),
            models.CheckConstraint(name="user_role_is_known", condition=Q(role__in=Role.values)),
            models.CheckConstraint(
                name="user_notices_are_known", condition=Q(notices__in=Notices.values)
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        return self.is_active

    @property
    def is_superuser(self) -> bool:
        return self.is_active and self.role == Role.ADMINISTRATOR

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_active and grants(self.role, perm)

    def has_perms(self, perms, obj: object = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active

    @property
    def zone(self) -> tzinfo:
        """Where their clock hangs; the company's when they named none."""
        return ZoneInfo(self.time_zone) if self.time_zone else timezone.get_default_timezone()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.email


class Absence(models.Model):
    """From the first to the last day away, the cover sees and works the absent one's accounts."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="absences")
    cover = models.ForeignKey(User, on_delete=models.CASCADE, related_name="covers")
    first_day = models.DateField()
    last_day = models.DateField()

    class Meta:
        ordering = ["-first_day"]
        constraints = [
            models.CheckConstraint(
                name="absence_ends_after_it_begins", condition=Q(last_day__gte=F("first_day"))
            ),
            models.CheckConstraint(name="nobody_covers_themselves", condition=~Q(user=F("cover"))),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.first_day} to {self.last_day}, covered by {self.cover}"

    @classmethod
    def covered_by(cls, user: User, today: date) -> models.QuerySet:
        """The ids of those whom `user` covers on that day."""
        here = cls.objects.filter(cover=user, first_day__lte=today, last_day__gte=today)
        return here.values("user_id")


class ApiKey(models.Model):
    """A machine's way in. The key itself is shown once; we keep a digest (promises: 256 bits)."""

    class Scope(models.TextChoices):
        READ = "read", "Read"
        WRITE = "write", "Read and write"

    name = models.CharField(max_length=80, help_text="Which system uses it, such as “CRM sync”.")
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    scope = models.CharField(max_length=5, choices=Scope.choices, default=Scope.READ)
    user = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="api_keys",
        help_text="The key sees what this colleague sees.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
